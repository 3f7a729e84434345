/** Waiting for a condition that the event loop brings about; works while timers are mocked. */
import { performance } from 'node:perf_hooks';

const DEADLINE_MS = 20_000;
/** A wait this long is for a clock or a file, and need not keep a core busy. */
const BUSY_TURNS = 200;
/** The timer itself, whatever a test mocks later. */
const { setTimeout: realTimeout } = globalThis;

/** Lets the event loop turn until `condition` holds. Throws at the deadline, naming what was waited for. */
export async function until(what: string, condition: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (let turns = 0; !condition(); turns++) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await (turns < BUSY_TURNS ? turn() : pause());
  }
}

/** One turn of the event loop. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function pause(): Promise<void> {
  await new Promise((resolve) => {
    realTimeout(resolve, 1);
  });
}

/** Enough turns for anything that was going to happen without a timer or a file, and some for small files. */
export async function settled(turns = 50): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
}
