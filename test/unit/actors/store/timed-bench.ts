/** Deliveries of many frames in the time of a mocked clock. */
import type { TestContext } from 'node:test';
import { openBench, type Bench } from '../../../../lab/delivery-bench';

export const MAX_IN_FLIGHT = 16;

export const MAX_DELAYED_IN_FLIGHT = 8;

/** Mocks timers, and jitter at its full length, so that pauses are exact. */
export async function openTimedBench(
  t: TestContext,
  cameras?: number,
  replay?: Parameters<typeof openBench>[2],
): Promise<Bench & { tick(ms: number): void }> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(Math, 'random', () => 1);
  const bench = await openBench(t, cameras, replay);
  bench.clockStands = true;
  return Object.assign(bench, {
    tick: (ms: number) => {
      bench.aheadMs += ms;
      t.mock.timers.tick(ms);
    },
  });
}
