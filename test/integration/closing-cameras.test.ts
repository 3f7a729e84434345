/** RTSP cameras that close the connection at any point of its opening: the fault reported with the real ffmpeg. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Fault } from '../../src/fault/fault';
import { clip, CLIP_DEFAULTS } from '../../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { waitUntil } from '../../lab/process';
import { watchFeed } from '../../lab/feeds/watch-feed';

type End = 'closed' | 'reset';

describe('an RTSP camera that ends its connections', { concurrency: 3 }, () => {
  let server: RtspServer;
  before(async () => {
    server = await startRtspServer({
      mounts: { '/cam': { clip: await clip(), codec: 'h264', fps: CLIP_DEFAULTS.fps } },
    });
  });
  after(() => server.stop());

  /** The port of a proxy that ends connection n after `bytesOf(n)` bytes from the camera. */
  async function ending(t: TestContext, end: End, bytesOf: (n: number) => number): Promise<number> {
    let connections = 0;
    const proxy = createServer((client) => {
      let left = bytesOf(connections++);
      const camera = connect(server.port, '127.0.0.1');
      const finish = (last: Buffer) => {
        camera.destroy();
        client.write(last, () => (end === 'reset' ? client.resetAndDestroy() : client.end()));
      };
      for (const socket of [client, camera]) socket.on('error', () => undefined);
      client.on('data', (chunk: Buffer) => camera.write(chunk));
      client.on('close', () => camera.destroy());
      camera.on('data', (chunk: Buffer) => {
        if (chunk.length >= left) finish(chunk.subarray(0, left));
        else client.write(chunk);
        left -= chunk.length;
      });
      sockets.add(client);
    });
    const sockets = new Set<Socket>();
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    t.after(() => {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    });
    return (proxy.address() as AddressInfo).port;
  }

  async function faultOf(t: TestContext, port: number): Promise<Fault> {
    const feed = watchFeed(`rtsp://127.0.0.1:${port}/cam`);
    t.after(() => feed.stop());
    await waitUntil('a fault', () => feed.faults.length > 0);
    assert.deepEqual(feed.pictures, []);
    const [fault] = feed.faults;
    assert.ok(fault instanceof Fault);
    return fault;
  }

  for (const end of ['closed', 'reset'] as const) {
    for (const bytes of [1, 90, 400])
      it(`that are ${end} after ${bytes} bytes is reported as "closed"`, async (t) => {
        const { code, message } = await faultOf(t, await ending(t, end, () => bytes));
        assert.equal(code, 'closed', message);
        assert.doesNotMatch(message, /not with video|connectMs/);
      });

    for (const bytes of [1, 90, 400, 1000, 1300])
      it(`that are ${end} after ${bytes} bytes, once it has described video, is reported as "closed", and its URL is not doubted`, async (t) => {
        const port = await ending(t, end, (n) => (n === 0 ? Infinity : bytes));
        const { code, message } = await faultOf(t, port);
        assert.equal(code, 'closed', message);
        assert.match(message, /describes video, and closed the connection/);
        assert.doesNotMatch(message, /URL|not with video|connectMs/);
      });
  }
});
