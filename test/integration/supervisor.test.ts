/** The supervisor itself, without servers: a stop request does not wait for starts that have not begun. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parseTopology } from '../../src/config/load';
import { DataDirectory } from '../../src/supervisor/data-directory';
import { Supervisor } from '../../src/supervisor/supervisor';
import { descendants } from '../../lab/daemon';
import { waitUntil } from '../../lab/process';
import { keptLog } from '../../lab/kept-log';

const CAMERAS = 12;
/** Ports without a listener: store and notifier try forever, which is all they need here. */
const AWAY = { redis: 'redis://127.0.0.1:1/', rabbitmq: 'amqp://127.0.0.1:1/' };

for (const [when, runningFirst] of [
  ['while nothing runs yet', 0],
  ['while its cameras start one after the other', 2],
] as const)
  test(`a supervisor that is stopped ${when} starts no more of them, and leaves no process`, async (t) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-supervisor-'));
    t.after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));
    const cameras = Array.from({ length: CAMERAS }, (_, i) => ({
      id: `cam${i}`,
      test: 'testsrc2',
      width: 64,
    }));
    const text = JSON.stringify({ ...AWAY, supervision: { parallelStarts: 1 }, cameras });
    const log = keptLog();
    const data = await DataDirectory.open(dir, () => undefined);
    const supervisor = new Supervisor({
      topology: parseTopology(text, path.join(dir, 'actors.json'), {}),
      data,
      log,
      onReady: () => assert.fail('no server answers'),
      onEscalation: ({ message }) => assert.fail(message),
    });
    const running = () => log.lines.filter(([, line]) => /^camera:\w+ runs$/.test(line)).length;
    const started = supervisor.start();
    await waitUntil('some run', () => running() >= runningFirst);
    await supervisor.stop();
    await started;
    // The start of one more may already be under way.
    assert.ok(running() <= runningFirst + 1, `${running()} cameras ran`);
    for (const { name, state } of supervisor.status()) assert.equal(state, 'stopped', name);
    data.close();
    const left = descendants(process.pid).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`).includes('forked-actor-worker'),
    );
    assert.deepEqual(left, []);
  });
