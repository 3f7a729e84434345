/** The first lines of `status` and its exit code, from a missing broker to confirmed frames. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MAIN, startDaemon, type Daemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { run, waitUntil } from '../../lab/process';

describe('status', () => {
  const servers = remoteServers();
  const namespace = newNamespace();
  const config = (rabbitmq: string) => ({
    namespace,
    ...{ redis: servers.redis, rabbitmq },
    cameras: [{ id: 'one', test: 'testsrc2', width: 160 }],
  });
  let daemon: Daemon;
  const status = async () => {
    const { code, stdout } = await run(process.execPath, [MAIN, 'status', '--data-dir', daemon.dataDir]);
    // Undoes the wrapping of sentences.
    const first = (stdout.toString().split('\n\n')[0] ?? '').replaceAll('\n  ', ' ');
    return { code, first };
  };

  before(async () => {
    // Nothing listens on port 1.
    daemon = startDaemon({ config: config('amqp://127.0.0.1:1/') });
    await daemon.actorPid('camera:one');
  });

  after(() => daemon.stop());

  test('exits with 1 while nothing is delivered, and first prints the age of the oldest waiting frame and the reason', async () => {
    await waitUntil('a frame waits for two seconds', async () => {
      const { delivery } = await daemon.status();
      return (delivery.oldestWaitingMs ?? 0) > 2000 && delivery.fault !== undefined;
    });
    const { code, first } = await status();
    assert.equal(code, 1);
    assert.match(first, /^delivery: nothing confirmed yet; \d+ frames waiting, the oldest for \d+s$/m);
    assert.match(first, /^cameras: 1 of 1 streaming$/m);
    assert.match(first, /^unhealthy: frames are not delivered: .*127\.0\.0\.1:1\b.*$/m);
  });

  test('exits with 0 once frames are confirmed', async () => {
    daemon.edit(config(servers.rabbitmq));
    await waitUntil('it is healthy', async () => (await status()).code === 0, 30_000);
    const { first } = await status();
    assert.match(
      first,
      /^delivery: last confirm [01]s ago; (no frames waiting|\d+ frames? waiting, the oldest for \d+s)$/m,
    );
    assert.doesNotMatch(first, /unhealthy/);
  });
});
