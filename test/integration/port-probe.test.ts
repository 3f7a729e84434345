/** The pause before a feed is reopened ends early only when a missing camera is back. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { sleepUntilBack } from '../../src/actors/camera/capture/port-probe';
import type { CameraSource } from '../../src/config/topology';
import { portOf } from '../../src/url/url';

const LONG_MS = 60_000;

async function listening(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}

const portIn = (server: Server) => (server.address() as AddressInfo).port;
const feed = (url: string): CameraSource => ({ kind: 'stream', url, transport: 'tcp' });
const passed = async (source: CameraSource, ms: number) => {
  const begun = performance.now();
  const isBack = await sleepUntilBack(source, ms, new AbortController().signal);
  return { isBack, ms: performance.now() - begun };
};

describe('the pause before a feed is opened again', () => {
  let open: Server;
  before(async () => {
    open = await listening();
  });
  after(() => open.close());

  it('ends soon after the port of a missing camera accepts connections again', async () => {
    const before = await listening();
    const port = portIn(before);
    await new Promise((resolve) => before.close(resolve));
    const pause = passed(feed(`rtsp://user:pass@127.0.0.1:${port}/live`), LONG_MS);
    // Long enough for the probe to find the port closed once.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const back = await listening(port);
    const { isBack, ms } = await pause;
    back.close();
    assert.equal(isBack, true);
    assert.ok(ms < LONG_MS / 2, String(ms));
  });

  for (const [what, source] of [
    ['takes connections all the time', () => feed(`http://127.0.0.1:${portIn(open)}/`)],
    ['stays away', () => feed('rtsp://127.0.0.1:1/')],
    ['has no port', () => ({ kind: 'test', pattern: 'testsrc2' }) as const],
    ['is sent to us', () => feed('udp://127.0.0.1:5000')],
  ] as const)
    it(`lasts its full time if a camera ${what}`, async () => {
      const { isBack, ms } = await passed(source(), 3200);
      assert.equal(isBack, false);
      assert.ok(ms > 3150, String(ms));
    });

  it('ends at once when the camera is stopped', async () => {
    const stopping = new AbortController();
    const pause = sleepUntilBack(feed('rtsp://127.0.0.1:1/'), LONG_MS, stopping.signal);
    stopping.abort();
    assert.equal(await pause, false);
  });
});

describe('the port of a URL', () => {
  for (const [url, port] of [
    ['rtsp://camera:8554/live', 8554],
    ['rtsp://admin:a:1@camera/live', undefined],
    ['rtsp://[fe80::1]:554/live', 554],
    ['rtsp://[fe80::1]/live:80', undefined],
    ['http://camera', undefined],
  ] as const)
    it(`${url} is ${String(port)}`, () => assert.equal(portOf(url), port));
});
