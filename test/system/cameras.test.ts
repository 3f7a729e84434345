/** Cameras edited by commands: through the running daemon, and in the file where none runs. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAIN, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { run } from '../../lab/process';

const CANARY = 'C4n4ry-0f-th1s-test';
/** An operator's comment, which every edit keeps. */
const COMMENT = '// north gate: don\'t "touch"\n';

describe('the command camera', () => {
  const namespace = newNamespace();
  let [daemon, events, file] = [] as unknown as [Daemon, Listener, string];

  before(async () => {
    const cameras = [
      { id: 'one', test: 'testsrc2', width: 64 },
      { id: 'gone', url: `rtsp://viewer:${CANARY}@127.0.0.1:1/`, enabled: false },
    ];
    events = await listen(namespace);
    daemon = startDaemon({ config: { namespace, ...remoteServers(), http: false, cameras } });
    file = path.join(daemon.dir, 'actors.json');
    await events.gotFrames('one', 1);
    writeFileSync(file, `${COMMENT}${readFileSync(file, 'utf8')}`);
  });
  after(async () => {
    await daemon.stop();
    await events.close();
  });

  /** Runs a command on that configuration and returns its output, which must not hold the password. */
  const said = async (...args: readonly string[]) => {
    const ran = await run(process.execPath, [MAIN, ...args, '--config', file]);
    const { code, stdout, stderr } = { ...ran, stdout: String(ran.stdout) };
    assert.ok(!(stdout + stderr).includes(CANARY), stdout + stderr);
    return { code, stdout, stderr };
  };
  const written = () => {
    const text = readFileSync(file, 'utf8');
    assert.ok(text.startsWith(COMMENT), text);
    return JSON.parse(text.slice(COMMENT.length)) as { namespace: string; cameras: { id: string }[] };
  };
  const cameras = () => written().cameras;
  const stored = (id: string) => cameras().find((camera) => camera.id === id);

  test('adds a camera, which then runs, after showing the plan', async () => {
    const before = readFileSync(file, 'utf8');
    const planned = await said('camera', 'add', 'two', 'test=testsrc2', 'width=64', '--plan');
    assert.deepEqual([planned.code, readFileSync(file, 'utf8')], [0, before]);
    assert.match(planned.stdout, /^start +camera:two$/m);
    const added = await said('camera', 'add', 'two', 'test=testsrc2', 'width=64');
    assert.match(added.stdout, /^camera two added\nstart +camera:two$/m);
    assert.deepEqual(stored('two'), { id: 'two', test: 'testsrc2', width: 64 });
    await events.gotFrames('two', 1);
  });

  test('lists cameras without passwords, and edits only the version of the file that was listed', async () => {
    const { stdout } = await said('camera', 'list', '--json');
    const { etag } = JSON.parse(stdout) as { etag: string };
    assert.equal((await said('camera', 'set', 'two', 'rate=2', '--if-match', etag)).code, 0);
    const late = await said('camera', 'set', 'two', 'rate=3', '--if-match', etag);
    assert.deepEqual([late.code, late.stdout], [75, '']);
    assert.match(late.stderr, /^vigil: .*actors\.json was changed meanwhile; nothing was written/);
    assert.match((await said('camera', 'list')).stdout, /^two +enabled +test testsrc2 width=64 rate=2$/m);
  });

  test('refuses in one sentence, with the same faults as for an edit by hand', async () => {
    const rows: readonly (readonly [number, RegExp, readonly string[]])[] = [
      [78, /no camera "none"/, ['set', 'none', 'rate=2']],
      [78, /there is a camera "one" already/, ['add', 'one', 'test=testsrc2']],
      [78, /\$\.cameras\[0\]\.rate: /, ['set', 'one', 'rate=fast']],
      [78, /\$\.cameras\[0\]\.rtae: unknown key; did you mean "rate"/, ['set', 'one', 'rtae=2']],
      [78, /disabled and has no process/, ['restart', 'gone']],
      [78, /names another server/, ['set', 'gone', 'url=rtsp://evil/']],
    ];
    const before = readFileSync(file, 'utf8');
    for (const [code, pattern, args] of rows) {
      const refused = await said('camera', ...args);
      assert.deepEqual([refused.code, refused.stdout], [code, ''], args.join(' '));
      assert.match(refused.stderr, pattern);
    }
    chmodSync(file, 0o444);
    assert.equal((await said('camera', 'remove', 'one')).code, 69);
    chmodSync(file, 0o644);
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  test('restarts the process of a camera', async () => {
    const pid = await daemon.actorPid('camera:two');
    assert.equal((await said('camera', 'restart', 'two')).code, 0);
    await daemon.childIs(
      'camera:two',
      'has a new one',
      (child) => child.pid !== pid && child.state === 'running',
    );
  });

  test('applies the cameras of another file, and nothing else of it', async () => {
    const other = path.join(daemon.dir, 'other.json');
    writeFileSync(
      other,
      JSON.stringify({ namespace: 'x', cameras: [stored('one'), { id: 'three', test: 'testsrc2' }] }),
    );
    const { code, ...ran } = await run(process.execPath, [MAIN, 'apply', '--config', other]);
    const stdout = String(ran.stdout);
    assert.equal(code, 0);
    assert.match(stdout, /^start +camera:three$/m);
    assert.match(stdout, /^stop +camera:two$/m);
    assert.match(stdout, /not applied: namespace$/m);
    assert.deepEqual(
      cameras().map(({ id }) => id),
      ['one', 'three'],
    );
    assert.equal(written().namespace, namespace);
  });

  test('edits the file itself if no daemon runs, and says so', async () => {
    daemon.signal('SIGTERM');
    assert.equal(await daemon.exited, 0);
    const { code, stdout } = await said('camera', 'remove', 'three');
    assert.deepEqual([code, stored('three')], [0, undefined]);
    assert.match(stdout, /^camera three removed in .*; no daemon runs, it will be used by the next start$/m);
    assert.equal((await said('camera', 'set', 'one', 'rate=fast')).code, 78);
    assert.equal((await said('apply')).code, 3);
  });
});
