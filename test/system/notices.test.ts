/** Notices of a running daemon about a camera that disappears and returns, across a restart, without any cost to frames. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { NoticeBody } from '../../src/actors/notices/notice';
import { boundedText } from '../../src/os/bounded-text';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { freePort } from '../../lab/free-port';
import { waitUntil } from '../../lab/process';

const KEY = Buffer.from('C4n4ry-0f-th1s-test-of-notices!!');
/** A secret part of the path: whoever knows it may post. */
const CANARY = 'T0ken-1n-the-path';

interface Received {
  readonly id: string;
  readonly body: NoticeBody;
}

async function serve(port: number, answer: RequestListener): Promise<Server> {
  const server = createServer(answer).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

describe('notices', () => {
  const namespace = newNamespace();
  const dir = newDir();
  const received: Received[] = [];
  /** The number of next attempts to answer with an error. */
  let failures = 0;
  let config: Record<string, unknown>;
  let receiver: Server;
  let camera: Server | undefined;
  let port: number;
  let events: Listener;
  let daemon: Daemon;
  let output = '';

  const openCamera = async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
    const picture = () =>
      sharp({ create: { width: 64, height: 48, channels: 3, noise, background: 'black' } });
    camera = await serve(port, (_, response) => {
      void picture()
        .jpeg()
        .toBuffer()
        .then((jpeg) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpeg));
    });
  };
  const types = () => received.map(({ body: { type, data } }) => `${type} ${data.camera ?? ''}`.trim());
  const notices = async () =>
    (await daemon.childIs('notices', 'looks', ({ heartbeat }) => (heartbeat?.done ?? 0) > 0)).heartbeat;
  const looks = async () => (await notices())?.done ?? 0;
  const waiting = async () => (await notices())?.facts['waiting'];
  /** Stops the daemon and keeps its folder. */
  const stop = async () => {
    daemon.signal('SIGTERM');
    await daemon.exited;
    output += daemon.output();
  };

  before(async () => {
    port = await freePort(60_000);
    receiver = await serve(0, (request, response) => {
      void boundedText(request, 100_000, 'a notice').then((text) => {
        const id = String(request.headers['webhook-id']);
        const signed = `${id}.${String(request.headers['webhook-timestamp'])}.${text}`;
        const signature = `v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`;
        received.push({ id, body: JSON.parse(text) as NoticeBody });
        const isSigned = request.headers['webhook-signature'] === signature;
        response.writeHead(!isSigned ? 401 : failures-- > 0 ? 500 : 204).end();
      });
    });
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks/${CANARY}`;
    const secret = `whsec_${KEY.toString('base64')}`;
    config = {
      ...{ namespace, ...remoteServers(), http: false, log: { level: 'debug' } },
      notify: [{ webhook: url, secret, when: ['offline > 10s', 'recovered'], cameras: ['gate'] }],
      cameras: [
        { id: 'gate', still: `http://127.0.0.1:${port}/`, retryMs: 500 },
        { id: 'steady', test: 'testsrc2', width: 64 },
      ],
    };
    events = await listen(namespace);
    await openCamera();
    daemon = startDaemon({ config, dir });
    await events.gotFrames('gate', 1);
    await events.gotFrames('steady', 1);
    // On a busy machine the start may have been reported as an outage.
    const then = await looks();
    await waitUntil('all is well', async () => (await looks()) >= then + 2 && (await waiting()) === 0);
    received.length = 0;
    failures = 1;
  });

  after(async () => {
    await daemon.stop();
    await events.close();
    await close(receiver);
    if (camera !== undefined) await close(camera);
  });

  test('report an offline camera, once more under the same id if the receiver failed', async () => {
    await close(camera ?? assert.fail());
    camera = undefined;
    await waitUntil('it is reported twice', () => received.length >= 2, 60_000);
    const [first, again] = received;
    assert.equal(first?.id, again?.id);
    assert.deepEqual(types(), ['vigil.camera.offline gate', 'vigil.camera.offline gate']);
    const { data } = first?.body ?? assert.fail();
    assert.equal(data.namespace, namespace);
    assert.match(data.message, /^camera gate has delivered no picture for \d+ s: .*127\.0\.0\.1/);
    assert.equal(data.fault?.code, 'refused');
  });

  test('do not repeat the report after a restart, and report its end once', async () => {
    await waitUntil('nothing waits', async () => (await waiting()) === 0);
    await stop();
    daemon = startDaemon({ config, dir });
    await daemon.said(/^ready/);
    await looks();
    assert.equal(received.length, 2);
    await openCamera();
    await waitUntil('its end is reported', () => received.length >= 3, 60_000);
    const then = await looks();
    await waitUntil('it has looked again', async () => (await looks()) >= then + 2, 60_000);
    assert.deepEqual(types().slice(2), ['vigil.camera.recovered gate']);
  });

  test('survive the end of their process, and do not affect frames', async () => {
    const { pid } = await daemon.childIs('notices', 'runs', ({ state }) => state === 'running');
    const { pid: steady } = await daemon.childIs('camera:steady', 'runs', ({ state }) => state === 'running');
    process.kill(pid ?? assert.fail(), 'SIGKILL');
    await daemon.childIs('notices', 'runs again', (child) => child.state === 'running' && child.pid !== pid);
    await events.gotFrames('steady', events.frames('steady').length + 2);
    assert.equal((await daemon.childIs('camera:steady', 'runs', () => true)).pid, steady);
    assert.equal(received.length, 3);
  });

  test('end with the configuration that asks for them', async () => {
    daemon.edit({ ...config, notify: [] });
    await waitUntil(
      'there is no such process',
      async () => !(await daemon.status()).children.some(({ name }) => name === 'notices'),
    );
  });

  test('leave neither secret nor path in the log and in files', async () => {
    await stop();
    const secrets = [KEY.toString('base64'), KEY.toString(), CANARY];
    const files = readdirSync(path.join(dir, 'data'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.startsWith('compile-cache') && statSync(path.join(dir, 'data', name)).isFile(),
    );
    assert.ok(files.includes('notices.json') && output.includes('notices runs'));
    for (const text of [output, ...files.map((name) => readFileSync(path.join(dir, 'data', name), 'latin1'))])
      for (const secret of secrets) assert.ok(!text.includes(secret), text.slice(0, 200));
  });
});
