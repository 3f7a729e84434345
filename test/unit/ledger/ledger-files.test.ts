/** The ledger on disk. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { filesSince, ledgerFileName, parseLedgerFileName } from '../../../src/ledger/file-names';
import { CONFIRMED } from '../../../src/ledger/fate';
import { LedgerFiles, readLedger } from '../../../src/ledger/files';
import { decodeNumbers, encodeNumbers } from '../../../src/ledger/lines';
import { summarize } from '../../../src/ledger/summary';
import { Desk, FIRST, START, watching } from './desk';

describe('ledger files', () => {
  const bounds = { keepHours: 3, maxBytes: 1_048_576 };

  function folder(t: TestContext): string {
    const dir = mkdtempSync(path.join(tmpdir(), 'vigil-ledger-'));
    t.after(() => rmSync(dir, { recursive: true }));
    return dir;
  }

  async function flush(desk: Desk, files: LedgerFiles): Promise<void> {
    await files.write(desk.wallMs, desk.ledger.takeChanges(), []);
  }

  it('are sorted by their start, and name the hour', () => {
    const file = { number: 7, hour: Math.floor(START / 3_600_000) };
    assert.equal(ledgerFileName(file), '00000007_2026-11-22T20Z.jsonl');
    assert.deepEqual(parseLedgerFileName(ledgerFileName(file)), file);
    assert.equal(parseLedgerFileName('notes.txt'), undefined);
    const [a, b, c] = [10, 12, 11].map((hour, number) => ({ number, hour }));
    assert.ok(a && b && c);
    assert.deepEqual(filesSince([a, b, c], 11.5 * 3_600_000), [b, c]);
    assert.deepEqual(filesSince([a, b, c], 20 * 3_600_000), [c]);
  });

  it('name many accounts in few characters', () => {
    assert.equal(encodeNumbers([5, 0, 1, 2]), '0-2,5');
    assert.deepEqual(decodeNumbers('0-2,5'), [0, 1, 2, 5]);
  });

  it('lose nothing to a daemon that is killed within a line', async (t) => {
    const dir = folder(t);
    const desk = watching();
    const files = await LedgerFiles.open(dir, bounds, desk.wallMs);
    desk.captured(FIRST);
    await flush(desk, files);
    await files.close();
    const [name = ''] = readdirSync(dir);
    appendFileSync(path.join(dir, name), '{"at":17953811340');
    const again = await LedgerFiles.open(dir, bounds, desk.wallMs);
    desk.ledger.delivered({ camera: 'cam', sequence: FIRST }, desk.now);
    await flush(desk, again);
    await again.close();
    assert.deepEqual(readdirSync(dir), [name]);
    const record = await readLedger(dir, START);
    assert.equal(record.unreadable, 1);
    assert.deepEqual(record.accounts[0]?.runs.all, [{ first: FIRST, last: FIRST, fate: CONFIRMED }]);
  });

  it('are compacted when their hour is over, and old ones are deleted', async (t) => {
    const dir = folder(t);
    const desk = watching();
    const files = await LedgerFiles.open(dir, bounds, desk.wallMs);
    const sizes: number[] = [];
    for (let minute = 0; minute < 6 * 60; minute++) {
      desk.seconds(60);
      desk.captured(Math.floor(desk.wallMs / 1000));
      await flush(desk, files);
    }
    await files.close();
    const names = readdirSync(dir).sort();
    assert.equal(names.length, bounds.keepHours);
    for (const name of names) sizes.push(readFileSync(path.join(dir, name)).length);
    const lines = readFileSync(path.join(dir, names[0] ?? ''), 'utf8')
      .trim()
      .split('\n');
    assert.equal(lines.length, 2, 'an account and its fates');
    const [summary] = summarize(
      await readLedger(dir, desk.wallMs - 3_600_000),
      desk.wallMs - 3_600_000,
    ).cameras;
    assert.equal(summary?.periods, 3601);
    // Both ends of the hour are minutes with a frame.
    assert.equal(summary.waiting, 61);
  });

  it('stay within their size limit', async (t) => {
    const dir = folder(t);
    for (let number = 1; number < 5; number++)
      writeFileSync(path.join(dir, ledgerFileName({ number, hour: number })), 'x'.repeat(600_000));
    const desk = watching();
    const files = await LedgerFiles.open(dir, { ...bounds, keepHours: 1000 }, desk.wallMs);
    desk.captured(FIRST);
    await flush(desk, files);
    await files.close();
    const bytes = readdirSync(dir).map((name) => readFileSync(path.join(dir, name)).length);
    assert.ok(bytes.reduce((sum, size) => sum + size, 0) <= bounds.maxBytes + 2000, String(bytes));
  });

  it('write everything again after a disk that rejected writes', async (t) => {
    const dir = path.join(folder(t), 'file');
    writeFileSync(dir, '');
    const desk = watching();
    desk.captured(FIRST);
    const files = await LedgerFiles.open(`${dir}-later`, bounds, desk.wallMs);
    const changes = desk.ledger.takeChanges();
    writeFileSync(`${dir}-later`, 'in the way');
    await assert.rejects(files.write(desk.wallMs, changes, []));
    for (const { account, ...unwritten } of changes) account.returnChanges(unwritten);
    rmSync(`${dir}-later`);
    await flush(desk, files);
    await files.close();
    assert.equal((await readLedger(`${dir}-later`, START)).accounts[0]?.runs.all.length, 1);
  });
});
