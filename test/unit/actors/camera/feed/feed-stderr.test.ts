/** ffmpeg's output on its way to the black box: whole lines, bounded, without credentials. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FeedStderr } from '../../../../../src/actors/camera/feed/stderr';

function feedStderr(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: (readonly string[])[] = [];
  return {
    told,
    stderr: new FeedStderr((lines) => told.push(lines)),
    pass: (ms: number) => t.mock.timers.tick(ms),
  };
}

describe('the output of ffmpeg', () => {
  it('is passed on at once, in whole lines', (t) => {
    const { told, stderr } = feedStderr(t);
    stderr.push('error while ');
    assert.deepEqual(told, []);
    stderr.push('decoding MB 1 2\n\nco');
    assert.deepEqual(told, [['error while decoding MB 1 2']]);
  });

  it('is then passed on once a second, limited to its last forty lines', (t) => {
    const { told, stderr, pass } = feedStderr(t);
    for (let i = 0; i < 1000; i++) stderr.push(`line ${i}\n`);
    assert.deepEqual(told, [['line 0']]);
    pass(1000);
    assert.equal(told.length, 2);
    assert.deepEqual([told[1]?.length, told[1]?.[0], told[1]?.at(-1)], [40, 'line 960', 'line 999']);
    pass(5000);
    assert.equal(told.length, 2, 'nothing is told where nothing was said');
    stderr.push('again\n');
    assert.deepEqual(told[2], ['again']);
  });

  it('contains no password', (t) => {
    const { told, stderr } = feedStderr(t);
    stderr.push('rtsp://admin:hush@10.0.0.1/live: 401 Unauthorized\n');
    assert.doesNotMatch(JSON.stringify(told), /hush/);
    assert.match(JSON.stringify(told), /401 Unauthorized/);
  });
});
