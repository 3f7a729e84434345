/** What a running daemon records and reports: for each second a frame, or a gap with its reason. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Summary } from '../../src/ledger/summary';
import { MAIN, newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { run, waitUntil } from '../../lab/process';

describe('the ledger of a daemon', () => {
  const namespace = newNamespace();
  const dir = newDir();
  const cameras = ['one', 'two'];
  const config = {
    namespace,
    ...remoteServers(),
    cameras: cameras.map((id) => ({ id, test: 'testsrc2', width: 64 })),
  };
  let events: Listener;
  let daemon: Daemon;

  before(async () => {
    events = await listen(namespace);
    daemon = startDaemon({ config, dir });
    for (const camera of cameras) await events.gotFrames(camera, 3);
  });

  after(async () => {
    await daemon.stop();
    await events.close();
  });

  const ledger = async (...options: string[]) =>
    run(process.execPath, [
      MAIN,
      'ledger',
      ...['--config', path.join(dir, 'actors.json'), '--data-dir', path.join(dir, 'data')],
      ...options,
    ]);
  const summary = async () => {
    const { code, stdout, stderr } = await ledger('--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout.toString()) as Summary;
  };
  const newest = (camera: string) => Math.max(...events.frames(camera).map(({ sequence }) => sequence));
  const flowsAgain = async (camera: string, sequence: number) => {
    await waitUntil(`${camera} goes on`, () => newest(camera) > sequence + 3, 40_000);
  };
  /** Periods from the first frame to `last` for which neither a frame nor a gap was reported. */
  const untold = (camera: string, last: number) => {
    const told = new Set(events.frames(camera).map(({ sequence }) => sequence));
    for (const { firstSequence, lastSequence } of events.gaps(camera))
      for (let sequence = firstSequence; sequence <= lastSequence; sequence++) told.add(sequence);
    const first = Math.min(...told);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((one) => !told.has(one));
  };
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);

  test('reports the seconds in which the process of a camera was restarted', async () => {
    const before = newest('one');
    // A killed process would be back within the second; a stopped one counts as hung after 2.5 s.
    process.kill(await daemon.actorPid('camera:one'), 'SIGSTOP');
    await flowsAgain('one', before);
    const last = newest('one') - 3;
    await waitUntil('every second is told', () => untold('one', last).length === 0);
    const gaps = events.gaps('one').filter(({ firstSequence }) => firstSequence > before);
    assert.ok(gaps.length >= 1);
    for (const { reason } of gaps) assert.equal(reason, 'restarting');
  });

  test('can be read without a daemon, and is continued by the next one, which reports the time in between', async () => {
    const before = newest('two');
    daemon.signal('SIGKILL');
    await daemon.exited;
    const diedAt = Date.now();
    await waitUntil('seconds pass without a daemon', () => Date.now() > diedAt + 3000);
    const dead = await summary();
    assert.deepEqual(
      dead.cameras.map(({ camera }) => camera),
      cameras,
    );
    daemon = startDaemon({ config, dir });
    await flowsAgain('two', before);
    const last = newest('two') - 3;
    await waitUntil('every second is told', () => untold('two', last).length === 0);
    // It may begin with a frame that the daemon had no time to write down.
    const gaps = events.gaps('two').filter(({ lastSequence }) => lastSequence > before);
    assert.ok(
      gaps.some(({ reason }) => reason === 'daemon-down'),
      JSON.stringify(gaps),
    );
    const alive = await summary();
    for (const of of alive.cameras) {
      assert.equal(of.periods, of.confirmed + of.waiting + sum(of.dropped) + sum(of.gap));
      const periods = dead.cameras.find(({ camera }) => camera === of.camera)?.periods ?? Infinity;
      assert.ok(of.periods > periods);
    }
    const frames = new Set(events.frames('two').map(({ sequence }) => sequence));
    const [two] = alive.cameras.slice(1);
    // The daemon had no time to write down its last second.
    assert.ok(two && Math.abs(two.confirmed + two.waiting - frames.size) <= 3, JSON.stringify(two));
  });

  test('is printed as text, and its absence is reported', async () => {
    const { stdout } = await ledger('--since', '1h', '--camera', 'one');
    assert.match(stdout.toString(), /^camera +periods +confirmed +waiting +dropped +gaps +coverage$/m);
    assert.match(stdout.toString(), /^one .* gap +restarting$/m);
    assert.doesNotMatch(stdout.toString(), /^two/m);
    const none = await ledger('--camera', 'three');
    assert.equal(none.code, 69);
    assert.match(none.stderr, /has no records of camera three/);
    assert.equal((await ledger('--since', 'yesterday')).code, 2);
  });
});
