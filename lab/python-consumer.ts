/** A consumer in Python: the package in clients/python, run by Debian's interpreter with test/fixtures/python/consumer.py. */
import { createInterface } from 'node:readline';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { spawnOwned, waitUntil, type OwnedProcess } from './process';

const ROOT = path.resolve(__dirname, '..');
export const PYTHON = '/usr/bin/python3';
export const PYTHON_PACKAGE = path.join(ROOT, 'clients/python/src');
export const PYTHON_SCRIPT = path.join(ROOT, 'test/fixtures/python/consumer.py');

/** A line of the fixture. */
export interface PythonEvent {
  readonly kind: 'event' | 'frame' | 'done' | 'image' | 'settled' | 'fault' | 'consuming' | 'ended';
  /** Id of the message. */
  readonly id?: string;
  readonly key?: string;
  readonly camera?: string;
  readonly code?: string;
  readonly message?: string;
  readonly outcome?: string;
  readonly redelivered?: boolean;
  readonly traceparent?: string | null;
  readonly shape?: readonly number[];
  readonly work_ms?: number;
}

export interface PythonConsumer {
  readonly process: OwnedProcess;
  readonly events: readonly PythonEvent[];
  of(kind: PythonEvent['kind']): PythonEvent[];
  settled(outcome: string): number;
  /** Waits until that many frames have that outcome; fails with what the program said when it has ended. */
  until(outcome: string, count: number): Promise<void>;
}

/** @param options those of the package, and `way` and `behaviour` of the fixture */
export async function startPython(t: TestContext, options: object): Promise<PythonConsumer> {
  const program = await spawnOwned('env', [
    `PYTHONPATH=${PYTHON_PACKAGE}`,
    'PYTHONDONTWRITEBYTECODE=1',
    ...[PYTHON, PYTHON_SCRIPT, JSON.stringify(options)],
  ]);
  t.after(() => program.signal('SIGKILL'));
  return told(program);
}

/** What a program reports that writes in the fixture's format. */
export function told(program: OwnedProcess): PythonConsumer {
  const events: PythonEvent[] = [];
  createInterface({ input: program.stdout }).on('line', (line) =>
    events.push(JSON.parse(line) as PythonEvent),
  );
  const settled = (outcome: string) =>
    events.filter((event) => event.kind === 'settled' && event.outcome === outcome).length;
  return {
    process: program,
    events,
    of: (kind) => events.filter((event) => event.kind === kind),
    settled,
    until: (outcome, count) =>
      waitUntil(`${count} frames are ${outcome}`, () => {
        const exit = program.exit();
        if (settled(outcome) < count && exit !== undefined)
          throw new Error(`the consumer has ended (${JSON.stringify(exit)}): ${program.stderr()}`);
        return settled(outcome) >= count;
      }),
  };
}
