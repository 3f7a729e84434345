/** Packets are timed by their arrival, whatever the container's unit of time: no lead, no lag, no drift. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startProgressiveServer, type CONTAINERS, type ProgressiveServer } from '../../lab/feeds/progressive';
import { percentile } from '../../lab/percentile';
import { waitUntil } from '../../lab/process';
import { watchFeed } from '../../lab/feeds/watch-feed';

/** The largest error of a packet's time on a busy machine. */
const MAX_ERROR_MS = 60;
const SECONDS = 8;

describe('a live stream over HTTP', { concurrency: 3 }, () => {
  let server: ProgressiveServer;
  before(async () => {
    server = await startProgressiveServer();
  });
  after(() => server.stop());

  const rows: [keyof typeof CONTAINERS, number[]][] = [
    ['mpjpeg', [10, 25, 30, 50, 60]],
    ['mjpeg', [25, 60]],
    ['avi', [30]],
    ['mpegts', [60]],
    ['mp4', [60]],
    ['matroska', [60]],
    ['flv', [60]],
    ['h264', [60]],
    ['nut', [30]],
  ];
  for (const [container, rates] of rows)
    for (const fps of rates)
      it(`in ${container} at ${fps} pictures a second is timed by its arrival`, async () => {
        const feed = watchFeed(server.url(container, fps));
        try {
          await waitUntil(
            'packets',
            () => feed.packets.length > fps * SECONDS || feed.faults.length > 0,
            60_000,
          );
          assert.deepEqual(feed.faults, []);
        } finally {
          await feed.stop();
        }
        const errors = feed.packets.map(({ at, cameMs }) => at - cameMs);
        const third = Math.floor(errors.length / 3);
        for (const part of [errors.slice(0, third), errors.slice(-third)]) {
          const offMs = percentile(part.map(Math.abs), 0.9);
          assert.ok(offMs < MAX_ERROR_MS, `off by ${offMs} ms`);
        }
        const { pictures } = feed;
        assert.ok(feed.missed() <= 1 && pictures.length <= SECONDS + 3, `${pictures.length} pictures`);
      });
});
