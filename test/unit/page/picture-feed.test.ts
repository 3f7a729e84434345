/** When a tile loads a picture, and what it shows. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PictureFeed, type Loaded } from '../../../web/picture-feed.js';
import { settled } from '../../../lab/until';

function feedOf(pace = 0) {
  const loads: { readonly signal: AbortSignal; readonly end: (loaded: Loaded | undefined) => void }[] = [];
  const released: string[] = [];
  const clock = { now: 0 };
  const feed = new PictureFeed({
    load: (signal) => new Promise((end) => loads.push({ signal, end })),
    release: (src) => released.push(src),
    paceMs: () => pace,
    onChange: () => undefined,
    now: () => clock.now,
  });
  return { feed, loads, released, clock };
}

describe('a picture', () => {
  test('that is out of view loads nothing, however often it is announced', () => {
    const { feed, loads } = feedOf();
    feed.announced(1);
    feed.announced(2);
    assert.equal(loads.length, 0);
  });

  test('is loaded one at a time, and again for the newest that arrived meanwhile', async () => {
    const { feed, loads } = feedOf();
    feed.show(true);
    for (const at of [1, 2, 3]) feed.announced(at);
    assert.equal(loads.length, 1);
    loads[0]?.end({ src: 'a', capturedAt: 1 });
    await settled();
    assert.equal(loads.length, 2);
    loads[1]?.end({ src: 'b', capturedAt: 3 });
    await settled();
    assert.equal(loads.length, 2);
    assert.deepEqual(feed.view, { src: 'b', capturedAt: 3 });
  });

  test('stays until the next is there, and is released then', async () => {
    const { feed, loads, released } = feedOf();
    feed.show(true);
    feed.announced(1);
    loads[0]?.end({ src: 'a', capturedAt: 1 });
    await settled();
    feed.announced(2);
    assert.deepEqual([feed.view.src, released], ['a', []]);
    loads[1]?.end({ src: 'b', capturedAt: 2 });
    await settled();
    assert.deepEqual([feed.view.src, released], ['b', ['a']]);
  });

  test('that the server refuses is replaced by the reason; one without an answer stays and ages', async () => {
    const { feed, loads } = feedOf();
    feed.show(true);
    feed.announced(1);
    loads[0]?.end({ src: 'a', capturedAt: 1 });
    await settled();
    feed.announced(2);
    loads[1]?.end(undefined);
    await settled();
    assert.deepEqual(feed.view, { src: 'a', capturedAt: 1 });
    feed.announced(3);
    loads[2]?.end({ why: 'it is 12 s old' });
    await settled();
    assert.deepEqual(feed.view, { why: 'it is 12 s old' });
  });

  test('that leaves the view stops loading, keeps nothing, and is loaded again when it returns', async () => {
    const { feed, loads, released } = feedOf();
    feed.show(true);
    feed.announced(1);
    feed.show(false);
    assert.deepEqual(
      loads.map(({ signal }) => signal.aborted),
      [true],
    );
    loads[0]?.end({ src: 'late', capturedAt: 1 });
    await settled();
    assert.deepEqual([feed.view, released], [{}, ['late']]);
    feed.show(true);
    assert.equal(loads.length, 2);
  });

  test('is loaded no more often than can be drawn', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { feed, loads, clock } = feedOf(4000);
    feed.show(true);
    feed.announced(1);
    loads[0]?.end({ src: 'a', capturedAt: 1 });
    await settled();
    clock.now = 1000;
    feed.announced(2);
    assert.equal(loads.length, 1);
    clock.now = 4000;
    t.mock.timers.tick(3000);
    assert.equal(loads.length, 2);
  });
});
