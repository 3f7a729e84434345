/** Sees, with plain clients of its own, for how long servers that replace each other serve no client: that silence is theirs. */
import { performance } from 'node:perf_hooks';
import { connect } from 'amqplib';
import Redis from 'ioredis';
import { withDeadline } from '../../src/clock/sleep';
import type { RabbitCluster } from '../rabbit-cluster';
import type { RedisGroup } from '../redis';
import { longestGap } from './longest-gap';

const EVERY_MS = 500;
const ATTEMPT_MS = 5000;
/** Led by the node that leads the detection queue: it has the same fate. */
export const WITNESS_QUEUE = 'witness';
/** They lie in the slots of every primary. */
const KEYS = Array.from({ length: 24 }, (_, i) => `witness:${i}`);

type Attempt = () => Promise<unknown>;

export class ServerWitness {
  readonly #servedMs: number[] = [];
  readonly #timer: NodeJS.Timeout;

  private constructor(
    attempt: Attempt,
    private readonly end: () => void,
  ) {
    // Attempts overlap: one that waits for a frozen server must not hide that the next one was served.
    this.#timer = setInterval(() => {
      withDeadline(attempt(), ATTEMPT_MS).then(
        (served) => {
          if (served !== undefined) this.#servedMs.push(performance.now());
        },
        () => undefined,
      );
    }, EVERY_MS);
  }

  static async ofBrokers({ nodes }: RabbitCluster): Promise<ServerWitness> {
    const [first] = nodes;
    await onBroker(first?.port ?? 0, true);
    const ports = nodes.map(({ port }) => port);
    return new ServerWitness(
      () => Promise.any(ports.map((port) => onBroker(port, false))),
      () => undefined,
    );
  }

  static ofRedis({ servers }: RedisGroup): ServerWitness {
    const clients = servers.map(({ port }) => {
      const client = new Redis(port, { commandTimeout: ATTEMPT_MS, enableOfflineQueue: false });
      client.on('error', () => undefined);
      return client;
    });
    // Replicas refuse, other primaries of a Cluster send elsewhere, Sentinels do not know the command.
    const writes = (key: string) => Promise.any(clients.map((client) => client.set(key, '1')));
    return new ServerWitness(
      () => Promise.all(KEYS.map(writes)),
      () => {
        for (const client of clients) client.disconnect();
      },
    );
  }

  /** The longest time without service, milliseconds. */
  outageMs(fromMs: number, untilMs: number): number {
    return longestGap(this.#servedMs, fromMs, untilMs);
  }

  close(): void {
    clearInterval(this.#timer);
    this.end();
  }
}

/** Resolves when a message was confirmed and a subscription answered. */
async function onBroker(port: number, declare: boolean): Promise<true> {
  const connection = await connect(`amqp://guest:guest@127.0.0.1:${port}/`, { timeout: ATTEMPT_MS });
  connection.on('error', () => undefined);
  const late = setTimeout(() => void connection.close().catch(() => undefined), ATTEMPT_MS);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    if (declare) await channel.assertQueue(WITNESS_QUEUE, { arguments: { 'x-queue-type': 'quorum' } });
    channel.sendToQueue(WITNESS_QUEUE, Buffer.from('?'));
    await Promise.all([
      channel.waitForConfirms(),
      channel.consume(WITNESS_QUEUE, () => undefined, { noAck: true }),
    ]);
    return true;
  } finally {
    clearTimeout(late);
    void connection.close().catch(() => undefined);
  }
}
