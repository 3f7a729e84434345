/** A supervised child whose program is none: it ends when the test says so. */
import type { TestContext } from 'node:test';
import type { ChildSpec } from '../src/config/topology';
import type { FaultRecord } from '../src/fault/fault';
import { Child, type ChildEnd, type ChildState, type Incarnation } from '../src/supervisor/child';
import type { RestartBudget } from '../src/supervisor/restart-budget';
import { keptLog } from './kept-log';
import { settled, until } from './until';

export const SPEC: ChildSpec = {
  restart: 'permanent',
  maxRestarts: 1000,
  periodMs: 60_000,
  backOff: { firstMs: 250, capMs: 30_000 },
  startMs: 3000,
  shutdownMs: 2500,
};
export const KILLED: ChildEnd = { normal: false, fault: { code: 'crashed', message: 'ended by SIGKILL' } };
export const NORMAL: ChildEnd = { normal: true, fault: { code: 'crashed', message: 'ended with code 0' } };

/** A child program that ends when the test says so. */
export class Program implements Incarnation {
  stops = 0;
  #end: (end: ChildEnd) => void = () => undefined;
  readonly ended = new Promise<ChildEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(readonly pid: number) {}

  end(end = KILLED): void {
    this.#end(end);
  }

  async stop(): Promise<void> {
    this.stops++;
    this.end(NORMAL);
  }
}

type Start = (attempt: number, signal: AbortSignal) => Promise<Program> | Program;

interface ChildBench {
  readonly spec?: Partial<ChildSpec>;
  readonly start?: Start;
  readonly budget?: RestartBudget;
}

export function childOf(
  t: TestContext,
  { spec = {}, start = (n) => new Program(n), budget }: ChildBench = {},
) {
  const log = keptLog();
  const programs: Program[] = [];
  const attempts: AbortSignal[] = [];
  const states: ChildState[] = [];
  const escalations: FaultRecord[] = [];
  const clock = { now: 0 };
  const child = new Child({
    name: 'camera:gate',
    log,
    spec: () => ({ ...SPEC, ...spec }),
    ...(budget === undefined ? {} : { budget }),
    start: async (signal) => {
      attempts.push(signal);
      const program = await start(attempts.length, signal);
      programs.push(program);
      return program;
    },
    onState: (state) => states.push(state),
    onEscalation: (fault) => escalations.push(fault),
    now: () => clock.now,
  });
  t.after(() => child.stop());
  const pid = () => ('pid' in child.state ? child.state.pid : undefined);
  return {
    child,
    log,
    programs,
    attempts,
    states,
    escalations,
    pid,
    running: (count: number) => until(`program ${count} runs`, () => pid() === count),
    /** Time passes for timers and for the child. */
    pass: async (ms: number) => {
      clock.now += ms;
      t.mock.timers.tick(ms);
      await settled(10);
    },
    /** The newest program ends, and the pause after that has begun. */
    endAndWait: async () => {
      programs.at(-1)?.end();
      await until('it waits', () => child.state.name === 'waiting');
    },
    said: () => log.lines.filter(([level]) => level !== 'debug').map(([level, text]) => `${level} ${text}`),
  };
}

export const mockTime = (t: TestContext, random = 1) => {
  t.mock.method(Math, 'random', () => random);
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
};
