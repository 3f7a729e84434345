/** What an edit of a camera's address costs: the new feed is opened beside the old one. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { clip } from '../../lab/feeds/clips';
import { startRtspServer, type RtspServer } from '../../lab/feeds/rtsp';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { waitUntil } from '../../lab/process';

describe('an edit of the address of a camera', () => {
  const namespace = newNamespace();
  let events: Listener;
  let daemon: Daemon;
  let rtsp: RtspServer;
  let server: Server;
  let viewers = 0;
  let pid: number | undefined;

  const config = (url: string) => ({ namespace, ...remoteServers(), cameras: [{ id: 'cam', url }] });
  const port = () => (server.address() as AddressInfo).port;
  const single = (path: string) => `rtsp://127.0.0.1:${port()}${path}`;
  const edited = async (url: string) => {
    const { appliedAtMs } = (await daemon.status()).configuration;
    daemon.edit(config(url));
    await waitUntil(
      'it is rolled out',
      async () => (await daemon.status()).configuration.appliedAtMs > appliedAtMs,
    );
  };
  before(async () => {
    const mounts = {
      '/one': { clip: await clip({ codec: 'h264' }), codec: 'h264', fps: 10 },
      '/two': { clip: await clip({ codec: 'h265' }), codec: 'h265', fps: 10 },
    } as const;
    rtsp = await startRtspServer({ mounts });
    // A camera for one viewer: further connections are closed.
    server = createServer((viewer) => {
      viewer.on('error', () => undefined);
      if (viewers > 0) {
        viewer.destroy();
        return;
      }
      viewers++;
      const camera = connect(rtsp.port, '127.0.0.1');
      camera.on('error', () => undefined);
      viewer.pipe(camera).pipe(viewer);
      viewer.once('close', () => {
        viewers--;
        camera.destroy();
      });
      camera.once('close', () => viewer.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    events = await listen(namespace);
    daemon = startDaemon({ config: config(rtsp.url('/one')) });
    await daemon.said(/^ready/);
    await events.gotFrames('cam', 3);
    pid = (await daemon.childIs('camera:cam', 'runs', (child) => child.state === 'running')).pid;
  });

  after(async () => {
    await events.close();
    await daemon.stop();
    server.close();
    await rtsp.stop();
  });

  const holes = (from: number) => {
    const sequences = events
      .frames('cam')
      .slice(from)
      .map(({ sequence }) => sequence)
      .sort((a, b) => a - b);
    return sequences.map((sequence, i) => sequence - (sequences[i - 1] ?? sequence - 1) - 1);
  };

  test('loses nothing if the new one gives pictures', async () => {
    const { length } = events.frames('cam');
    await edited(rtsp.url('/two'));
    await events.gotFrames('cam', events.frames('cam').length + 3);
    await waitUntil('it has every second', () => Math.max(...holes(length - 1)) === 0, 10_000);
    await waitUntil('the old one is left', async () => (await rtsp.clients()) === 1);
  });

  test('ends the old feed even if the new one gives none, and the next edit is applied at once', async () => {
    await edited(rtsp.url('/nothing'));
    await events.gotFault('cam', 'not-found');
    await edited(single('/one'));
    await events.gotFrames('cam', events.frames('cam').length + 2);
  });

  test('of a camera that allows one viewer costs the time of one opening', async () => {
    const { length } = events.frames('cam');
    await edited(single('/two'));
    await events.gotFrames('cam', length + 5);
    assert.equal(viewers, 1);
    await waitUntil('few seconds are missed', () => Math.max(...holes(length - 1)) <= 2, 10_000);
  });

  test('keeps the process throughout', async () => {
    const child = await daemon.childIs('camera:cam', 'runs', ({ state }) => state === 'running');
    assert.deepEqual([child.pid, child.restarts], [pid, 0]);
  });
});
