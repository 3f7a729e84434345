/** A real Celery worker takes frames as tasks, with no bridge, and loses none when it is killed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { frameKey } from '../../src/consumer';
import { NotifierStage } from '../../lab/notifier-bench';
import { spawnOwned, waitUntil } from '../../lab/process';
import { PYTHON, PYTHON_PACKAGE } from '../../lab/python-consumer';
import { RedisStage } from '../../lab/redis-stage';
import { wantedBy } from '../../lab/wanted-actors';

const ROOT = path.resolve(__dirname, '../..');
/** A worker takes seconds to start, many on a busy machine. */
const START_MS = 90_000;

describe('a Celery worker', () => {
  const stage = NotifierStage.inSuite();
  const store = RedisStage.inSuite();
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'vigil-celery-'));
    const endpoints = { amqp: stage.broker.url, redis: store.url };
    await writeFile(path.join(folder, 'endpoints.json'), JSON.stringify(endpoints));
  });
  after(() => rm(folder, { recursive: true }));

  const notes = () => {
    try {
      return readFileSync(path.join(folder, 'notes'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  const startWorker = async (t: TestContext, workS: number) => {
    const sources = [
      PYTHON_PACKAGE,
      path.join(ROOT, 'examples/celery'),
      path.join(ROOT, 'test/fixtures/python'),
    ];
    const worker = await spawnOwned('env', [
      ...[`PYTHONPATH=${sources.join(':')}`, 'PYTHONDONTWRITEBYTECODE=1', `WORK_S=${workS}`],
      ...[`NOTES=${path.join(folder, 'notes')}`, 'VIGIL_QUEUE=v.plates', 'C_FORCE_ROOT=1'],
      ...[
        `VIGIL_ENDPOINTS=${path.join(folder, 'endpoints.json')}`,
        PYTHON,
        '-m',
        'celery',
        '-A',
        'slow_worker',
      ],
      ...['worker', '--without-gossip', '--without-mingle', '--without-heartbeat', '--concurrency', '1'],
    ]);
    const until = (what: string, isSo: () => boolean) =>
      waitUntil(
        what,
        () => {
          if (worker.exit() !== undefined) throw new Error(`the worker has ended: ${worker.stderr()}`);
          return isSo();
        },
        START_MS,
      ).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; ${notes().join(', ')}; ${worker.stderr()}`);
      });
    const kill = () => {
      const pids = poolOf(worker.pid);
      for (const pid of pids) if (isThere(pid)) process.kill(pid, 'SIGKILL');
    };
    t.after(kill);
    return { until, kill };
  };

  test('does each task once; a task begun by a killed worker is done by the next', async (t) => {
    const cameras = [{ id: 'c', test: 'testsrc2' }];
    const consumers = { plates: { protocol: 'celery' } };
    const { services } = wantedBy({
      namespace: 'v',
      cameras,
      consumers,
      queue: { required: false },
    }).topology;
    const bench = await stage.ready(stage.broker.url, { required: false }, 'v', undefined, services);
    for (const at of [1, 2, 3]) {
      const key = frameKey('v', { camera: 'c', capturedAt: at, width: 1, height: 1, format: 'jpeg' });
      await store.client.set(key, `picture${at}`, 'PX', 600_000);
    }
    await bench.confirmed(...(bench.announce(1, 2, 3), [1, 2, 3]));
    const first = await startWorker(t, 600);
    await first.until('a task has begun', () => notes().some((note) => note.startsWith('begun')));
    first.kill();
    const second = await startWorker(t, 0);
    const done = () => notes().filter((note) => note.startsWith('done'));
    await second.until('all are done', () => done().length === 3);
    assert.deepEqual(done().sort(), ['done c-1 picture1', 'done c-2 picture2', 'done c-3 picture3']);
    await waitUntil('no picture is left', async () => (await store.keys()).length === 0);
    await waitUntil(
      'no task waits',
      async () => (await stage.channel.checkQueue('v.plates')).messageCount === 0,
    );
    assert.equal((await stage.channel.checkQueue('v.plates.dead')).messageCount, 0);
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A process and its descendants; the process comes first, since it would replace killed ones. */
function poolOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => poolOf(Number(child))))];
  } catch {
    return [pid];
  }
}
