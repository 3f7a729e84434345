/** Every command prints JSON, and nothing else, if asked to. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { run } from '../../lab/process';

interface Line {
  readonly kind: string;
  readonly camera?: string;
  readonly file?: string;
  readonly processed?: number;
}

describe('--json', () => {
  const namespace = newNamespace();
  const cameras = [{ id: 'one', test: 'testsrc2', width: 64 }];
  const dir = newDir();
  let [daemon, events] = [] as unknown as [Daemon, Listener];

  before(async () => {
    events = await listen(namespace);
    daemon = startDaemon({ config: { namespace, ...remoteServers(), http: false, cameras }, dir });
    await events.gotFrames('one', 1);
  });
  after(async () => {
    await daemon.stop();
    await events.close();
  });

  const vigil = (...args: readonly string[]) =>
    run(process.execPath, [MAIN, ...args, '--json', '--config', path.join(dir, 'actors.json')]);

  const rows: readonly (readonly [args: readonly string[], keys: readonly string[]])[] = [
    [['check'], ['valid', 'cameras', 'requirements']],
    [['status'], ['pid', 'children', 'queues']],
    [
      ['status', 'one'],
      ['name', 'state'],
    ],
    [['plan'], ['start', 'leave']],
    [['ledger'], ['since', 'cameras']],
    [
      ['camera', 'list'],
      ['etag', 'cameras'],
    ],
    [
      ['camera', 'add', 'two', 'test=testsrc2', '--plan'],
      ['applied', 'etag', 'plan'],
    ],
    [
      ['camera', 'set', 'one', 'rate=2', '--plan'],
      ['applied', 'etag', 'plan'],
    ],
    [
      ['camera', 'remove', 'one', '--plan'],
      ['applied', 'etag', 'plan'],
    ],
    [['camera', 'restart', 'one'], ['id']],
    [
      ['apply', '--plan'],
      ['applied', 'plan'],
    ],
    [
      ['probe', '--camera', 'one', '--seconds', '1'],
      ['codec', 'fault'],
    ],
    [
      ['snapshot', 'one', path.join(dir, 'one.jpg')],
      ['file', 'capturedAt'],
    ],
  ];
  for (const [args, keys] of rows)
    test(`${args.slice(0, 2).join(' ').replace(dir, '')} prints one object`, async () => {
      const { stdout, stderr } = await vigil(...args);
      assert.equal(stderr, '');
      const record = JSON.parse(stdout.toString()) as object;
      for (const key of keys) assert.ok(key in record, `${key}: ${stdout.toString()}`);
    });

  test('process prints a line for every frame and one at the end, and logs to standard error', async () => {
    const out = path.join(dir, 'frames');
    const { code, stdout, stderr } = await vigil('process', '--count', '2', '--out', out);
    assert.equal(code, 0, stderr);
    const lines = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    assert.deepEqual(
      lines.map(({ kind }) => kind),
      ['frame', 'frame', 'end'],
    );
    for (const { camera, file = '' } of lines.slice(0, 2))
      assert.deepEqual([camera, existsSync(file)], ['one', true]);
    assert.equal(lines[2]?.processed, 2);
    assert.match(stderr, /"message":"consuming /);
  });

  test('process ends when its output has no reader', async () => {
    const script = 'timeout -s KILL 50 "$0" "$@" | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"';
    const args = [MAIN, 'process', '--json', '--config', path.join(dir, 'actors.json')];
    const { stdout } = await run('bash', ['-c', script, process.execPath, ...args]);
    assert.equal(stdout.toString(), '0\n');
  });

  test('is an option of every command that answers', async () => {
    const { stdout } = await run(process.execPath, [MAIN, 'completion', 'fish']);
    const script = stdout.toString();
    const commands = [...script.matchAll(/__fish_use_subcommand -a (\w+)/g)].map(([, name = '']) => name);
    const without = commands.filter(
      (name) => !script.includes(`'__fish_seen_subcommand_from ${name}' -l json`),
    );
    // The daemon writes a log; completion prints a script.
    assert.deepEqual(without, ['daemon', 'completion']);
  });
});
