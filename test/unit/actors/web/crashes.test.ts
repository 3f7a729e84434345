/** Crash reports over HTTP: those the black box wrote, the newest first, whatever else is in its folder. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { readCrashes } from '../../../../src/actors/web/crashes';
import { queueView } from '../../../../src/actors/web/view/queue-view';
import { BlackBox } from '../../../../src/supervisor/black-box';

const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-crashes-'));
after(() => rmSync(DIR, { recursive: true }));
const START = Date.UTC(2026, 10, 26, 7);

async function crash(box: BlackBox, i: number): Promise<string> {
  return box.record({
    ...{ name: 'camera:gate', pid: i, exitCode: null, signal: 'SIGKILL' },
    ...{ startedAtMs: START + i * 1000 - 400, endedAtMs: START + i * 1000 },
    fault: { code: 'crashed', message: 'ended by SIGKILL' },
    lastLines: Array.from({ length: 40 }, (_, line) => `line ${line} rtsp://u:c4nary@h/`),
  });
}

describe('crash reports', () => {
  it('are the newest ten, with their last lines and no credential', async () => {
    const box = new BlackBox(DIR);
    for (let i = 1; i <= 12; i++) {
      box.feedSaid('camera:gate', ['[h264] damaged']);
      await crash(box, i);
    }
    const crashes = await readCrashes(DIR, 'gate');
    assert.deepEqual(
      crashes.map(({ at }) => (at - START) / 1000),
      [12, 11, 10, 9, 8, 7, 6, 5, 4, 3],
    );
    const [newest] = crashes;
    assert.deepEqual(
      [newest?.code, newest?.message, newest?.startedAt, newest?.ffmpeg],
      ['crashed', 'ended by SIGKILL', START + 11_600, ['[h264] damaged']],
    );
    assert.deepEqual([newest?.lastLines.length, newest?.lastLines.at(-1)], [20, 'line 39 rtsp://h/']);
    assert.deepEqual(await readCrashes(DIR, 'gat'), []);
  });

  it('leave out what is not a report: half a file, a foreign one, an unfinished one', async () => {
    const folder = path.dirname(await crash(new BlackBox(DIR), 99));
    for (const [name, text] of [
      ['9999-half.json', '{"name":"camera:gate","fault":{"co'],
      ['9999-list.json', '[]'],
      ['9999-fault.json', '{"fault":null}'],
      ['9999-time.json', '{"fault":{"code":"x","message":"y"},"endedAt":"soon"}'],
      ['9999-new.json.tmp', '{}'],
    ] as const)
      writeFileSync(path.join(folder, name), text);
    const crashes = await readCrashes(DIR, 'gate');
    assert.equal(crashes[0]?.at, START + 99_000);
  });
});

describe('the detection queue', () => {
  it('is what the notifier reports', () =>
    assert.deepEqual(queueView({ 'old queue a': 3, 'queue v.detection': '5 of 100', queueConsumers: 2 }), {
      ...{ name: 'v.detection', messages: 5, limit: 100, consumers: 2 },
    }));

  it('is unknown until the broker has reported it', () =>
    assert.equal(queueView({ rabbitmq: 'away', queueConsumers: 0 }), undefined));
});
