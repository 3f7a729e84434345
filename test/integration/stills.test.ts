/** Still pictures over HTTP, from real servers that behave as cameras do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { type WatchedFeed } from '../../lab/feeds/watch-feed';
import { camera, faultOf, picture, send, sound, watch } from '../../lab/feeds/still-stage';

describe('a camera of still pictures', () => {
  it('is requested once a period over one connection, and its bytes are stored unchanged', async (t) => {
    const http = await camera(t, sound);
    const feed = watch(t, http.url('/snap.jpg'), { periodMs: 250 });
    await feed.until('ten pictures', () => feed.pictures.length >= 10);
    await feed.stop();
    assert.equal(http.connections(), 1);
    assert.equal(http.overlap(), 1);
    for (const [i, { bytes, format, width, height, verdict }] of feed.pictures.entries()) {
      assert.ok(bytes.equals(picture(i)));
      assert.deepEqual([format, width, height, verdict.kind], ['jpeg', 640, 360, 'healthy']);
    }
    // A period in which this machine was held up is reported as missed.
    for (const [i, { sample }] of feed.pictures.entries()) {
      const before = feed.pictures[i - 1]?.sample.sequence ?? sample.sequence - 1;
      assert.equal(sample.missed?.firstSequence ?? sample.sequence, before + 1);
      assert.equal(sample.missed?.lastSequence ?? before, sample.sequence - 1);
    }
    const steps = http.requests.slice(2).map(({ at }, i) => at - (http.requests[i + 1]?.at ?? 0));
    const median = steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
    assert.ok(median > 200 && median < 300, String(steps));
    assert.deepEqual(feed.streams, [{ codec: 'jpeg', decoded: false, still: true }]);
  });

  it('has the middle of the request as its capture time', async (t) => {
    const answers: number[] = [];
    const http = await camera(t, (request, response, number) => {
      response.sendDate = false;
      setTimeout(() => {
        answers.push(Date.now());
        sound(request, response, number);
      }, 120);
    });
    const feed = watch(t, http.url('/'));
    await feed.until('pictures', () => feed.pictures.length >= 4);
    for (const { sample } of feed.pictures) {
      const asked = http.requests.findLast(({ at }) => at <= sample.capturedAt)?.at ?? 0;
      const answered = answers.find((at) => at >= sample.capturedAt) ?? Infinity;
      const middle = (asked + answered) / 2;
      assert.ok(Math.abs(sample.capturedAt - middle) < 55, String(sample.capturedAt - middle));
      assert.equal(sample.clock, 'arrival');
    }
  });

  describe('among others', { concurrency: true }, () => {
    it('is dated by its own clock if that is sane, and by ours if not', async (t) => {
      const by = (offsetMs: number) => async (): Promise<WatchedFeed> => {
        const http = await camera(t, (_, response, number) => {
          response.sendDate = false;
          send(response, picture(number), { date: new Date(Date.now() + offsetMs).toUTCString() });
        });
        const feed = watch(t, http.url('/'));
        await feed.until('a verdict', () => feed.clock.state !== 'unknown' && feed.pictures.length >= 6);
        await feed.stop();
        return feed;
      };
      const [right, behind, wrong] = await Promise.all([by(0)(), by(-1500)(), by(-3_600_000)()]);
      assert.equal(right.clock.state, 'sane');
      assert.ok(Math.abs(right.clock.skewMs ?? NaN) < 100, String(right.clock.skewMs));
      assert.equal(behind.clock.state, 'sane');
      assert.ok(
        (behind.clock.skewMs ?? 0) < -450 && (behind.clock.skewMs ?? 0) > -1600,
        String(behind.clock.skewMs),
      );
      assert.equal(wrong.clock.state, 'insane');
      for (const { sample, seenMs } of wrong.pictures) assert.ok(Math.abs(sample.capturedAt - seenMs) < 1000);
    });

    it('that reports an unchanged picture is believed, and the picture becomes frozen', async (t) => {
      const http = await camera(t, (request, response) => {
        if (request.headers['if-none-match'] === '"one"') response.writeHead(304).end();
        else send(response, picture(0), { etag: '"one"' });
      });
      const feed = watch(t, http.url('/'), { frozenMs: 800 });
      await feed.until('frozen', () => feed.pictures.at(-1)?.verdict.kind === 'frozen');
      assert.equal(feed.pictures[0]?.verdict.kind, 'healthy');
      assert.equal(http.requests.filter(({ headers }) => headers['if-none-match'] === undefined).length, 1);
      for (const { bytes } of feed.pictures) assert.ok(bytes.equals(picture(0)));
      const times = feed.pictures.map(({ sample }) => sample.capturedAt);
      assert.deepEqual([...new Set(times)].sort(), times);
    });

    it('that sends the same bytes repeatedly is frozen', async (t) => {
      const http = await camera(t, (_, response) => send(response, picture(0)));
      const feed = watch(t, http.url('/'), { frozenMs: 800 });
      await feed.until('frozen', () => feed.pictures.at(-1)?.verdict.kind === 'frozen');
    });

    it('that takes longer than a period gets one request at a time, and is reported as slow', async (t) => {
      const http = await camera(t, (request, response, number) => {
        setTimeout(() => sound(request, response, number), 500);
      });
      const feed = watch(t, http.url('/'));
      await feed.until('pictures', () => feed.pictures.length >= 4);
      assert.equal(http.overlap(), 1);
      assert.equal(feed.troubles[0]?.code, 'slow-camera');
      assert.match(feed.troubles[0].message, /took \d+ ms for a picture, and one is wanted every 200 ms/);
      assert.ok(feed.pictures.slice(1).every(({ sample }) => sample.missed !== undefined));
    });

    it('that closes its connection after each answer, or in between, keeps delivering', async (t) => {
      const http = await camera(t, (request, response, number) => {
        if (number % 2 === 0) response.setHeader('connection', 'close');
        sound(request, response, number);
        if (number % 3 === 0) response.on('finish', () => setTimeout(() => request.socket.destroy(), 30));
      });
      const feed = watch(t, http.url('/'));
      await feed.until('pictures', () => feed.pictures.length >= 8);
      assert.deepEqual(feed.lost, []);
    });

    it('that sends chunks, or until it closes, is read', async (t) => {
      const http = await camera(t, (_, response, number) => {
        response.writeHead(200, number % 2 === 0 ? {} : { connection: 'close' });
        const bytes = picture(number);
        response.write(bytes.subarray(0, 100));
        response.end(bytes.subarray(100));
      });
      const feed = watch(t, http.url('/'));
      await feed.until('pictures', () => feed.pictures.length >= 4);
      assert.ok(feed.pictures.every(({ verdict }) => verdict.kind === 'healthy'));
    });

    describe('whose picture is not whole', { concurrency: true }, () => {
      it('by its length loses it, and the feed reports that', async (t) => {
        const fault = await faultOf(t, (request, response) => {
          response.writeHead(200, { 'content-length': String(picture(0).length) });
          response.write(picture(0).subarray(0, 3000), () => setTimeout(() => request.socket.destroy(), 50));
        });
        assert.equal(fault.code, 'closed');
      });

      it('by its bytes alone gives a torn picture', async (t) => {
        const http = await camera(t, (_, response, number) =>
          send(response, picture(number).subarray(0, 3000)),
        );
        const feeds = [watch(t, http.url('/')), watch(t, http.url('/'), { width: 320 })];
        for (const feed of feeds) {
          await feed.until('pictures', () => feed.pictures.length >= 2);
          for (const { verdict } of feed.pictures)
            assert.deepEqual(verdict, { kind: 'torn', confidence: 99, reason: 'cut' });
        }
      });

      it('only because of padding after its end gives a healthy picture', async (t) => {
        const http = await camera(t, (_, response, number) =>
          send(response, Buffer.concat([picture(number), Buffer.alloc(5000, 0x41)])),
        );
        const feed = watch(t, http.url('/'));
        await feed.until('pictures', () => feed.pictures.length >= 2);
        assert.ok(feed.pictures.every(({ verdict }) => verdict.kind === 'healthy'));
      });
    });

    describe('with other settings for its pictures', { concurrency: true }, () => {
      it('gives pictures that are scaled, encoded and judged', async (t) => {
        const http = await camera(t, sound);
        const rows = [
          ['jpeg', { width: 320 }, 320, 180],
          ['png', { format: 'png' }, 640, 360],
          ['webp', { format: 'webp', width: 160 }, 160, 90],
        ] as const;
        for (const [format, changes, width, height] of rows) {
          const feed = watch(t, http.url('/'), changes);
          await feed.until('a picture', () => feed.pictures.length >= 2);
          await feed.stop();
          const [first] = feed.pictures;
          assert.ok(first);
          assert.deepEqual([first.format, first.width, first.height], [format, width, height]);
          const read = await sharp(first.bytes).metadata();
          assert.deepEqual([read.format, read.width, read.height], [format, width, height]);
          assert.deepEqual(first.verdict, { kind: 'healthy', confidence: 99 });
          assert.deepEqual(feed.streams, [{ codec: 'jpeg', decoded: true, still: true }]);
        }
      });

      it('gives a picture called black if it is black', async (t) => {
        const black = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#000' } })
          .jpeg()
          .toBuffer();
        const http = await camera(t, (_, response) => send(response, black));
        const feed = watch(t, http.url('/'), { format: 'png' });
        await feed.until('a picture', () => feed.pictures.length >= 1);
        assert.equal(feed.pictures[0]?.verdict.kind, 'black');
      });

      it('may also give PNG', async (t) => {
        const png = await sharp(picture(0)).png().toBuffer();
        const http = await camera(t, (_, response) => send(response, png, { 'content-type': 'image/png' }));
        const feed = watch(t, http.url('/'));
        await feed.until('a picture', () => feed.pictures.length >= 1);
        assert.equal((await sharp(feed.pictures[0]?.bytes).metadata()).format, 'jpeg');
      });
    });

    it('leaves no connection when it is stopped', async (t) => {
      const http = await camera(t, sound);
      const feed = watch(t, http.url('/'));
      await feed.until('a picture', () => feed.pictures.length >= 1);
      await feed.stop();
      await feed.until('no connection', () => http.open() === 0);
    });
  });
});
