/** A private RabbitMQ that a test may break: its control program, its process, and a publisher or a topology on it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { BrokerView } from '../src/connections/bound-queues';
import { openLog } from '../src/log/log';
import { prepareRabbitmq } from '../src/embedded/rabbitmq';
import { signalProcess } from './process';
import { startService } from './start-service';

const RABBITMQCTL = '/usr/lib/rabbitmq/bin/rabbitmqctl';
const STOP_MS = 10_000;

export interface Broker {
  readonly url: string;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and starts it again on its data. */
  restart(): Promise<void>;
  /** Runs `rabbitmqctl` against it. */
  control(...args: string[]): Promise<string>;
  /** What it reports to the daemon about its bindings and queues. */
  view(): Promise<BrokerView>;
  stop(): Promise<void>;
}

export async function startBroker(): Promise<Broker> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-broker-'));
  const service = await prepareRabbitmq(dir, undefined, openLog('test-broker', 'error'));
  let server = await startService(service);
  const env = Object.fromEntries(
    readFileSync(`/proc/${String(server.pid)}/environ`, 'utf8')
      .split('\0')
      .filter((entry) => entry.includes('='))
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  return {
    url: service.url,
    signal: (name) => signalProcess(server.pid, name),
    restart: async () => {
      signalProcess(server.pid, 'SIGKILL');
      await server.exited;
      server = await startService(service);
    },
    control: async (...args) => {
      const { stdout } = await promisify(execFile)(RABBITMQCTL, ['-q', ...args], { env });
      return stdout;
    },
    view: async () => {
      if (service.view === undefined) throw new Error('the embedded RabbitMQ tells nothing');
      return service.view();
    },
    stop: async () => {
      await service.stop(STOP_MS);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
