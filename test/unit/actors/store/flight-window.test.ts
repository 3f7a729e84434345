/** How many frames are in flight: few to near servers, as many as the latency requires to far ones, and never too many bytes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightWindow } from '../../../../src/actors/store/flight-window';

/** Frames that pass in `seconds` if each takes `wayMs`, and a server handles `perSecond` of them, one after the other. */
function run(
  window: FlightWindow,
  wayMs: number,
  perSecond: number,
  seconds: number,
  fromMs = 0,
  bytes = 1,
): number {
  const ends: { endMs: number; begunMs: number }[] = [];
  let [freeMs, delivered] = [fromMs, 0];
  for (let now = fromMs; now < fromMs + seconds * 1000; now++) {
    for (;;) {
      const [first] = ends;
      if (first === undefined || first.endMs > now) break;
      ends.shift();
      window.delivered(first.endMs - first.begunMs, now);
      window.end(bytes);
      delivered++;
    }
    while (!window.isFull) {
      window.begin(bytes);
      freeMs = Math.max(freeMs, now) + 1000 / perSecond;
      ends.push({ endMs: freeMs + wayMs, begunMs: now });
    }
  }
  for (const _ of ends) window.end(bytes);
  return delivered / seconds;
}

describe('the flight window', () => {
  it('stays small for servers on the same machine, however many frames wait', () => {
    const window = new FlightWindow();
    assert.ok(run(window, 2, 700, 20) > 650);
    assert.ok(window.limit <= 24, String(window.limit));
  });

  for (const wayMs of [40, 100, 200, 800])
    it(`lets more than 500 frames a second through if each takes ${wayMs} ms`, () => {
      const window = new FlightWindow();
      run(window, wayMs, 1000, 20);
      assert.ok(run(window, wayMs, 1000, 10, 20_000) > 500);
    });

  it('follows a latency that rises, and one that falls', () => {
    const window = new FlightWindow();
    run(window, 2, 1000, 10);
    run(window, 100, 1000, 40, 10_000);
    assert.ok(run(window, 100, 1000, 10, 50_000) > 500);
    run(window, 2, 1000, 40, 60_000);
    assert.ok(window.limit <= 32, String(window.limit));
  });

  it('is full at 24 MiB, however far the servers are', () => {
    const window = new FlightWindow();
    run(window, 800, 1000, 20, 0, 1);
    for (let i = 0; i < 8; i++) {
      assert.equal(window.isFull, false);
      window.begin(3 * 1024 * 1024);
    }
    assert.equal(window.isFull, true);
  });
});
