/** What a configuration needs: computed from the file, and growing with what it asks for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTopology } from '../../../src/config/load';
import { descriptorsNeeded } from '../../../src/supervisor/descriptors';
import { PICTURE_BYTES, sizingOf } from '../../../src/supervisor/sizing';

const REMOTE = { redis: 'redis://127.0.0.1:1', rabbitmq: 'amqp://127.0.0.1:1', http: false };
const sizing = (file: object) => {
  const topology = parseTopology(JSON.stringify(file), '/srv/actors.json', {});
  return { ...sizingOf(topology), needed: descriptorsNeeded(topology) };
};
const cameras = (count: number, settings: object = {}) =>
  Array.from({ length: count }, (_, i) => ({
    id: `c${i}`,
    url: `rtsp://host/${i}`,
    ...settings,
  }));

describe('the sizing of a configuration', () => {
  it('has the pictures that are in Redis at the same time, and their bytes', () => {
    const { pictures, redisBytes } = sizing({
      ...REMOTE,
      frames: { expireMs: 60_000 },
      cameras: cameras(10),
    });
    assert.deepEqual([pictures, redisBytes], [600, 600 * PICTURE_BYTES]);
    const fast = sizing({ ...REMOTE, frames: { expireMs: 60_000 }, cameras: cameras(10, { rate: 5 }) });
    assert.equal(fast.pictures, 3000);
  });

  const bounds: readonly [string, object, number, string][] = [
    ['its age', { maxAgeMs: 600_000 }, 600, 'maxAgeMs'],
    ['its frames', { maxFrames: 2000 }, 200, 'maxFrames'],
    ['its bytes', { maxBytes: 100 * 1024 * 1024 }, 104, 'maxBytes'],
  ];
  for (const [what, spool, seconds, bound] of bounds)
    it(`has the outage that the spool bridges if ${what} limits it`, () => {
      const found = sizing({ ...REMOTE, spool, cameras: cameras(10) }).spool;
      assert.deepEqual([Math.floor(found?.seconds ?? 0), found?.bound], [seconds, bound]);
    });

  it('has the processes of every kind of camera, actor and server', () => {
    const rows: readonly [object, object][] = [
      [
        { ...REMOTE, cameras: [] },
        { node: 3, ffmpeg: 0, servers: 0 },
      ],
      [{ cameras: [] }, { node: 4, ffmpeg: 0, servers: 3 }],
      [
        { ...REMOTE, cameras: cameras(2) },
        { node: 5, ffmpeg: 4, servers: 0 },
      ],
      [
        { ...REMOTE, cameras: cameras(2, { format: 'keyframe' }) },
        { node: 5, ffmpeg: 2, servers: 0 },
      ],
      [
        { ...REMOTE, cameras: cameras(2, { enabled: false }) },
        { node: 3, ffmpeg: 0, servers: 0 },
      ],
      [
        { ...REMOTE, cameras: [{ id: 'a', test: 'testsrc2' }] },
        { node: 4, ffmpeg: 1, servers: 0 },
      ],
      [
        { ...REMOTE, cameras: [{ id: 'a', still: 'http://host/a.jpg' }] },
        { node: 4, ffmpeg: 0, servers: 0 },
      ],
      [
        { ...REMOTE, actors: { store: { mode: 'in-memory' }, notifier: { mode: 'in-memory' } }, cameras: [] },
        { node: 1, ffmpeg: 0, servers: 0 },
      ],
    ];
    for (const [file, processes] of rows) assert.deepEqual(sizing(file).processes, processes);
  });

  it('has the descriptors that the daemon makes room for', () => {
    const { descriptors, needed } = sizing({ ...REMOTE, cameras: cameras(100) });
    assert.equal(descriptors, needed);
  });

  it('needs no camera', () => {
    const { picturesPerSecond, redisBytes, spool } = sizing({ ...REMOTE, cameras: [] });
    assert.deepEqual([picturesPerSecond, redisBytes, spool], [0, 0, undefined]);
  });
});
