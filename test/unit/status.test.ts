/** What `status` shows: the state of every child, in words and figures an operator reads at a glance. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { statusText } from '../../src/commands/status';
import { duration, table } from '../../src/commands/table';
import type { ChildSpec } from '../../src/config/topology';
import { Child, type ChildEnd, type ChildState } from '../../src/supervisor/child';
import type { DaemonStatus } from '../../src/supervisor/control-socket';
import { childStatus, type ChildStatus } from '../../src/supervisor/status';
import { keptLog } from './support/kept-log';
import { until } from './support/until';

const NOW = 1_700_000_000_000;

describe('a duration', () => {
  const rows: readonly [number, string][] = [
    [-5, '0s'],
    [0, '0s'],
    [999, '0s'],
    [1000, '1s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [61_000, '1m 1s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h'],
    [3_661_000, '1h 1m'],
    [3_601_000, '1h'],
    [90_000_000, '1d 1h'],
    [86_400_000 + 60_000, '1d'],
    [400 * 86_400_000, '400d'],
  ];
  for (const [ms, words] of rows)
    it(`of ${String(ms)} ms is ${words}`, () => {
      assert.equal(duration(ms), words);
    });
});

describe('a table', () => {
  it('has its columns below each other, and nothing behind a line', () => {
    assert.deepEqual(
      table([
        ['NAME', 'STATE', 'LAST'],
        ['a', 'quarantined', 'a long sentence'],
        ['camera:gate', '-', ''],
      ]),
      ['NAME         STATE        LAST', 'a            quarantined  a long sentence', 'camera:gate  -'],
    );
  });

  it('keeps a cell on its line, and what a camera sends away from the terminal', () => {
    const said = 'Cannot find module\nRequire stack:\r\n- a\u001b[2Jb';
    assert.deepEqual(table([['a', said, 'c']]), ['a  Cannot find module Require stack: - a [2Jb  c']);
  });

  it('may be empty', () => {
    assert.deepEqual(table([]), []);
  });
});

const SPEC: ChildSpec = {
  restart: 'permanent',
  maxRestarts: 1000,
  periodMs: 60_000,
  backOff: { firstMs: 250, capMs: 30_000 },
  startMs: 3000,
  shutdownMs: 2500,
};
const KILLED: ChildEnd = { normal: false, fault: { code: 'crashed', message: 'ended by SIGKILL' } };

/** A child, and the end of its newest run. */
function childOf(t: TestContext, spec: Partial<ChildSpec> = {}) {
  let pid = 100;
  const ends: ((end: ChildEnd) => void)[] = [];
  const child = new Child({
    name: 'camera:gate',
    log: keptLog(),
    spec: () => ({ ...SPEC, ...spec }),
    start: async () => {
      const ended = new Promise<ChildEnd>((resolve) => ends.push(resolve));
      return { pid: ++pid, ended, stop: async () => ends.at(-1)?.(KILLED) };
    },
    onEscalation: () => undefined,
  });
  t.after(() => child.stop());
  return {
    child,
    endIn: async (state: ChildState['name']) => {
      ends.at(-1)?.(KILLED);
      await until(`it is ${state}`, () => child.state.name === state && !('pid' in child.state));
    },
  };
}

describe('what is known of a child', () => {
  it('is its state and since when; a pid only while it runs', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
    const { child, endIn } = childOf(t);
    assert.deepEqual(childStatus(child, 'camera'), {
      name: 'camera:gate',
      kind: 'camera',
      state: 'down',
      sinceMs: NOW,
      restarts: 0,
    });
    t.mock.timers.tick(5);
    await child.start();
    const heartbeat = { done: 7, facts: {}, memoryBytes: 1, atMs: NOW };
    const feed = { camera: 'gate', state: 'streaming', sinceMs: NOW } as const;
    assert.deepEqual(childStatus(child, 'camera', heartbeat, feed), {
      name: 'camera:gate',
      kind: 'camera',
      state: 'running',
      sinceMs: NOW + 5,
      pid: 101,
      restarts: 0,
      heartbeat,
      feed,
    });
    t.mock.timers.tick(1000);
    await endIn('waiting');
    assert.deepEqual(childStatus(child, 'camera'), {
      name: 'camera:gate',
      kind: 'camera',
      state: 'waiting',
      sinceMs: NOW + 1005,
      restarts: 0,
      lastFault: { ...KILLED.fault, atMs: NOW + 1005 },
    });
    t.mock.timers.tick(1);
    await until('it runs again', () => child.state.name === 'running');
    const again = childStatus(child, 'camera');
    assert.deepEqual([again.state, again.pid, again.restarts], ['running', 102, 1]);
    await child.stop();
    assert.deepEqual(
      [childStatus(child, 'camera').state, childStatus(child, 'camera').pid],
      ['stopped', undefined],
    );
  });

  it('has the pid of the try while it is quarantined', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
    const { child, endIn } = childOf(t, { maxRestarts: 0, probeMs: 1000 });
    await child.start();
    await endIn('quarantined');
    assert.equal(childStatus(child, 'camera').pid, undefined);
    t.mock.timers.tick(1000);
    await until('it is tried', () => 'pid' in child.state);
    const tried = childStatus(child, 'camera');
    assert.deepEqual([tried.state, tried.pid, tried.sinceMs], ['quarantined', 102, NOW]);
  });

  it('survives JSON, as it travels', async (t) => {
    const { child, endIn } = childOf(t, { restart: 'temporary' });
    await child.start();
    await endIn('ended');
    const known = childStatus(child, 'store', {
      done: 1,
      facts: { redis: 'ready' },
      memoryBytes: 5,
      atMs: 6,
    });
    assert.deepEqual(JSON.parse(JSON.stringify(known)), known);
  });
});

describe('the text of status', () => {
  const base = { state: 'running', sinceMs: NOW - 65_000, restarts: 0 } as const;
  const children: readonly ChildStatus[] = [
    {
      ...base,
      name: 'store',
      kind: 'store',
      pid: 71,
      heartbeat: { done: 9, facts: { redis: 'ready', queued: 0 }, memoryBytes: 52_428_800, atMs: NOW },
    },
    {
      ...base,
      name: 'camera:gate',
      kind: 'camera',
      state: 'quarantined',
      restarts: 6,
      lastFault: { code: 'crashed', message: 'ended by SIGSEGV', atMs: NOW - 3_600_000 },
    },
    {
      ...base,
      name: 'camera:yard',
      kind: 'camera',
      pid: 72,
      lastFault: { code: 'hung', message: 'gave no sign of life', atMs: NOW - 1000 },
      feed: {
        camera: 'yard',
        state: 'waiting',
        sinceMs: NOW,
        fault: { code: 'refused', message: 'rtsp://yard/: connection refused' },
      },
    },
  ];
  const daemon: DaemonStatus = {
    pid: 70,
    startedAtMs: NOW - 90_061_000,
    ready: true,
    delivery: { waiting: 0 },
    problems: [],
    configuration: { file: '/srv/actors.json', appliedAtMs: NOW },
    children,
  };

  it('is a line for the daemon and one for each child; what troubles a feed now comes before an old end', () => {
    assert.deepEqual(statusText(daemon, NOW).split('\n'), [
      'daemon 70, up 1d 1h, ready',
      'delivery: nothing confirmed yet; nothing waits',
      'cameras: 0 of 2 give pictures',
      '',
      'NAME         STATE        SINCE  PID  RESTARTS  MEMORY  WORK                   LAST FAULT',
      'store        running      1m 5s  71   0         50 MB   redis ready, queued 0  -',
      'camera:gate  quarantined  1m 5s  -    6         -       -                      crashed 1h ago: ended by SIGSEGV',
      'camera:yard  running      1m 5s  72   0         -       -                      refused: rtsp://yard/: connection refused',
    ]);
  });

  it('says what is wrong with an edit, and that the old one still runs', () => {
    const faults = [
      { path: '$.cameras[0].rate', problem: 'expected number, found "1"' },
      { path: '$.redis', problem: 'is away' },
    ];
    const lines = statusText(
      { ...daemon, ready: false, configuration: { ...daemon.configuration, faults } },
      NOW,
    ).split('\n');
    assert.deepEqual(lines.slice(0, 8), [
      'daemon 70, up 1d 1h, not ready yet',
      'delivery: nothing confirmed yet; nothing waits',
      'cameras: 0 of 2 give pictures',
      '',
      '/srv/actors.json is not valid, the daemon runs what it had before:',
      '  $.cameras[0].rate: expected number, found "1"',
      '  $.redis: is away',
      '',
    ]);
    assert.match(lines[8] ?? '', /^NAME +STATE/);
  });

  it('does not call a file invalid that only a new daemon can run by', () => {
    const faults = [{ path: '$.redis', problem: 'changes only with the daemon' }];
    const configuration = { ...daemon.configuration, refusal: 'not-applied' as const, faults };
    const text = statusText({ ...daemon, configuration }, NOW);
    assert.match(
      text,
      /\/srv\/actors\.json is valid, but cannot be applied to the running daemon, the daemon runs/,
    );
    assert.doesNotMatch(text, /not valid/);
  });

  it('says in its first lines when a frame was confirmed last, what waits and since when, and why', () => {
    const delivery = { lastConfirmAtMs: NOW - 42_000, waiting: 120, oldestWaitingMs: 41_500 };
    const problems = ['frames are not delivered: rabbitmq does\nnot answer', 'store is waiting'];
    const configuration = { ...daemon.configuration, behind: 12 };
    const lines = statusText({ ...daemon, delivery, problems, configuration }, NOW).split('\n');
    assert.deepEqual(lines.slice(1, 7), [
      'delivery: last confirm 42s ago; 120 frames wait, the oldest for 41s',
      'cameras: 0 of 2 give pictures',
      'unhealthy: frames are not delivered: rabbitmq does not answer',
      'unhealthy: store is waiting',
      'edit: being rolled out, 12 processes have yet to take it over',
      '',
    ]);
  });

  it('shows what keeps an actor from its work now before an old end of its process', () => {
    const fault = { code: 'redis-full', message: 'redis takes no more' };
    const heartbeat = { done: 9, fault, facts: {}, memoryBytes: 1, atMs: NOW };
    const lastFault = { code: 'hung', message: 'gave no sign of life', atMs: NOW - 1000 };
    const text = statusText(
      { ...daemon, children: [{ ...base, name: 'store', kind: 'store', heartbeat, lastFault }] },
      NOW,
    );
    assert.match(text, /redis-full: redis takes no more$/);
  });

  it('needs no child', () => {
    const lines = statusText({ ...daemon, children: [] }, NOW).split('\n');
    assert.equal(lines.length, 5);
  });
});
