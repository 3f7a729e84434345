/** Tags of cameras in the running daemon: in messages, in status, in the ledger and in the API, changed without a restart. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ApiCamera } from '../../src/actors/web/view/api';
import { MAIN, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { freePort } from '../../lab/free-port';
import { run, waitUntil } from '../../lab/process';
import { served } from '../../lab/served';

describe('tags', () => {
  const namespace = newNamespace();
  let port = 0;
  let base = '';
  let events: Listener;
  let daemon: Daemon;

  const config = (tags: readonly string[]) => ({
    ...{ namespace, ...remoteServers(), http: { port }, tracing: true },
    cameras: [
      { id: 'gate', test: 'testsrc2', width: 160, tags },
      { id: 'yard', test: 'testsrc2', width: 160 },
    ],
  });
  const ask = async (...args: string[]) => {
    const places = ['--data-dir', daemon.dataDir, '--config', path.join(daemon.dir, 'actors.json')];
    const { code, stdout, stderr } = await run(process.execPath, [MAIN, ...args, ...places]);
    return { code, stdout: stdout.toString(), stderr };
  };
  const pids = async () => (await daemon.status()).children.map(({ name, pid }) => [name, pid]);

  before(async () => {
    events = await listen(namespace);
    port = await freePort(60_000);
    daemon = startDaemon({ config: config(['north', 'gate']) });
    base = await served(daemon);
    await events.gotFrames('gate', 1);
    await events.gotFrames('yard', 1);
  });

  after(async () => {
    await events.close();
    await daemon.stop();
  });

  test('are in the messages of their camera, and absent from those of others', () => {
    assert.deepEqual(events.frames('gate')[0]?.tags, ['north', 'gate']);
    assert.ok(!('tags' in (events.frames('yard')[0] ?? assert.fail())));
  });

  test('are accompanied by the header of a trace if that is configured', () => {
    const [first] = events.received.filter(({ routingKey }) => routingKey === 'camera.gate.frame');
    assert.match(String(first?.properties.headers?.['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('select cameras in status and in the ledger', async () => {
    const shown = await ask('status', '--tag', 'north', '--tag', 'gate');
    assert.match(shown.stdout, /^gate /m);
    assert.doesNotMatch(shown.stdout, /^yard /m);
    const { children } = JSON.parse((await ask('status', '--tag', 'north', '--json')).stdout) as {
      children: { name: string; tags?: string[] }[];
    };
    assert.deepEqual(
      children.flatMap(({ name, tags }) => (name.startsWith('camera:') ? [[name, tags]] : [])),
      [['camera:gate', ['north', 'gate']]],
    );
    const recorded = JSON.parse((await ask('ledger', '--tag', 'gate', '--json')).stdout) as {
      cameras: { camera: string }[];
    };
    assert.deepEqual(
      recorded.cameras.map(({ camera }) => camera),
      ['gate'],
    );
  });

  test('that no camera has are refused, with the names of the existing ones', async () => {
    for (const command of ['status', 'ledger']) {
      const { code, stderr } = await ask(command, '--tag', 'south');
      assert.equal(code, 2);
      assert.match(stderr, /no camera has the tag "south"; there are gate, north/);
    }
  });

  test('that are edited are in the next messages, in the API and in status, and no process is restarted', async () => {
    const before = await pids();
    daemon.edit(config(['south']));
    await waitUntil('a message has it', () => events.frames('gate').at(-1)?.tags?.[0] === 'south');
    assert.deepEqual(events.frames('gate').at(-1)?.tags, ['south']);
    await waitUntil('the API has it', async () => {
      const cameras = (await (await fetch(new URL('/api/cameras?tag=south', base))).json()) as ApiCamera[];
      return cameras.length === 1 && cameras[0]?.id === 'gate';
    });
    assert.deepEqual(await pids(), before);
  });
});
