/** The detectors in examples/, side by side on a daemon with the demo cameras: each reports what it sees in every camera. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test, type TestContext } from 'node:test';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { newNamespace, remoteServers, withRedis } from '../../lab/events';
import { spawnOwned, waitUntil } from '../../lab/process';
import { PYTHON } from '../../lab/python-consumer';

const EXAMPLES = path.resolve(__dirname, '../../examples');

describe('the detectors of examples/', () => {
  const namespace = newNamespace();
  let daemon: Daemon;

  before(async () => {
    const config = JSON.parse(readFileSync(path.join(EXAMPLES, 'detectors.json'), 'utf8')) as object;
    daemon = startDaemon({ config: { ...config, namespace, ...remoteServers(), http: false } });
    await daemon.said(/^ready/);
  });

  after(() => daemon.stop());

  const start = async (t: TestContext, service: string, script: string) => {
    const endpoints = path.join(daemon.dataDir, 'endpoints.json');
    const queue = `${namespace}.${service}`;
    const file = path.join(EXAMPLES, script);
    const detector = script.endsWith('.py')
      ? await spawnOwned('env', [
          ...['PYTHONDONTWRITEBYTECODE=1', PYTHON, file],
          ...['--endpoints', endpoints, '--queue', queue],
        ])
      : await spawnOwned(process.execPath, ['--import', 'tsx', file, endpoints, queue]);
    t.after(() => detector.signal('SIGKILL'));
    const lines: string[] = [];
    createInterface({ input: detector.stdout }).on('line', (line) => lines.push(line));
    const says = (pattern: RegExp) =>
      waitUntil(`${script} says ${String(pattern)}`, () => {
        assert.equal(detector.exit(), undefined, detector.stderr());
        return lines.some((line) => pattern.test(line));
      }).catch((error: unknown) => {
        throw new Error(
          `${(error as Error).message}; it said ${lines.slice(-6).join('; ')} ${detector.stderr()}`,
        );
      });
    return { detector, says };
  };

  test('work side by side, each with its own queue, and end on Ctrl-C; pictures are removed when all are done', async (t) => {
    const motion = await start(t, 'motion', 'motion.py');
    const people = await start(t, 'people', 'people.py');
    const light = await start(t, 'light', 'typescript/light.ts');
    await motion.says(/^demo-clock .+ motion, \d/);
    await motion.says(/^demo-bars .+ still, 0\.0% changed$/);
    await people.says(/^demo-clock .+ \d+ people/);
    await people.says(/^demo-bars .+ 0 people$/);
    await light.says(/^demo-clock .+ sees, brightness \d+, contrast \d+$/);
    await light.says(/^demo-bars .+ sees, brightness 10\d, contrast \d+$/);
    const keys = await withRedis((redis) => redis.keys(`${namespace}:frame:*`));
    const left = () => withRedis(async (redis) => (keys.length === 0 ? 0 : redis.exists(keys)));
    await waitUntil(
      'the earlier frames have gone, long before they expire',
      async () => (await left()) === 0,
    );
    for (const { detector } of [motion, people, light]) {
      detector.signal('SIGINT');
      assert.deepEqual(await detector.exited, { code: 0, signal: null }, detector.stderr());
    }
  });
});
