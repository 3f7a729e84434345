/** A camera's process in dist/: one file, and what it reports about its end. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';

const BREAKS = path.resolve(__dirname, '../fixtures/breaks-on-signal.cjs');
const BUNDLE = path.resolve(__dirname, '../../dist/bundle/forked-actor-worker.js');

describe('a camera’s process', () => {
  let daemon: Daemon;
  let events: Listener;

  before(async () => {
    const namespace = newNamespace();
    events = await listen(namespace);
    daemon = startDaemon({
      config: { namespace, ...remoteServers(), cameras: [{ id: 'one', test: 'testsrc2', width: 160 }] },
      env: { NODE_OPTIONS: `--require=${BREAKS}` },
    });
    await events.gotFrames('one', 2);
  });

  after(async () => {
    await daemon.stop();
    await events.close();
  });

  const commandOf = async (actor: string) =>
    readFileSync(`/proc/${await daemon.actorPid(actor)}/cmdline`, 'latin1').split('\0');

  test('runs the bundle; other actors run the compiled files', async () => {
    assert.ok((await commandOf('camera:one')).includes(BUNDLE));
    assert.ok(!(await commandOf('store')).includes(BUNDLE));
  });

  test('leaves a stack trace with places in the source when it crashes, and the next one delivers', async () => {
    process.kill(await daemon.actorPid('camera:one'), 'SIGUSR2');
    const { file } = await daemon.said(/^crash report for camera:one written$/);
    const { lastLines } = JSON.parse(readFileSync(file ?? '', 'utf8')) as { lastLines: string[] };
    const frame = lastLines.find((line) => line.includes('#heartbeat'));
    const [, source, number] = /\((\/.*\/src\/comedy\/actor-side\.ts):(\d+):\d+\)$/.exec(frame ?? '') ?? [];
    assert.ok(source !== undefined, lastLines.join('\n'));
    assert.match(
      readFileSync(source, 'utf8').split('\n')[Number(number) - 1] ?? '',
      /process\.memoryUsage\.rss/,
    );
    await events.gotFrames('one', events.frames('one').length + 2);
  });
});
