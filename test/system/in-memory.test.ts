/** Small machines run store and notifier inside the daemon: same frames, fewer processes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descendants, startDaemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers } from '../../lab/events';
import { readFileSync } from 'node:fs';

test('store and notifier in memory deliver every frame with no process of their own', async () => {
  const namespace = newNamespace();
  const events = await listen(namespace);
  const inMemory = { mode: 'in-memory' };
  const daemon = startDaemon({
    config: {
      namespace,
      http: false,
      ...remoteServers(),
      actors: { store: inMemory, notifier: inMemory },
      cameras: [{ id: 'cam', test: 'testsrc2', width: 160 }],
    },
  });
  await events.gotEverySecond('cam', 4);
  const workers = descendants(daemon.pid)
    .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'))
    .filter((args) => args.some((arg) => arg.includes('forked-actor-worker')));
  assert.deepEqual(
    workers.map((args) => args.find((arg) => /^(camera:|store|notifier)/.test(arg))),
    ['camera:cam'],
  );
  assert.equal(await daemon.stop(), 0);
  await events.close();
});
