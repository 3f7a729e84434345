/** Ledger files are read while they are written: the result is the same as if read at once, and each line is read once. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ledgerFileName } from '../../../src/ledger/file-names';
import { LedgerFiles, readLedger } from '../../../src/ledger/files';
import { Ledger } from '../../../src/ledger/ledger';
import { LedgerReader } from '../../../src/ledger/reader';

const HOUR_MS = 3_600_000;
const BEGIN = 1_700_000_000_000 - (1_700_000_000_000 % HOUR_MS);
const dir = mkdtempSync(path.join(tmpdir(), 'vigil-reader-'));
after(() => rmSync(dir, { recursive: true }));

const runsOf = (accounts: Iterable<{ id: { camera: string }; runs: { all: readonly unknown[] } }>) =>
  [...accounts].map(({ id, runs }) => [id.camera, runs.all]);

describe('a reader of the ledger', () => {
  it('has at each look what the files say, over hours and their compaction', async () => {
    const files = await LedgerFiles.open(dir, { keepHours: 24, maxBytes: 10_000_000 }, BEGIN);
    const ledger = new Ledger([], () => undefined);
    const reader = new LedgerReader(dir);
    const moment = (ms: number) => ({ wallMs: BEGIN + ms, elapsedMs: ms });
    assert.deepEqual([...(await reader.accountsSince(BEGIN))], []);
    for (const camera of ['gate', 'yard']) ledger.watch(camera, 1000, moment(0));
    for (let second = 0; second < 3 * 3600; second += 40) {
      const at = moment(second * 1000 + 500);
      ledger.captured({ camera: 'gate', sequence: BEGIN / 1000 + second, capturedAt: at.wallMs }, at);
      ledger.delivered({ camera: 'gate', sequence: BEGIN / 1000 + second }, at);
      ledger.tick(at);
      await files.write(at.wallMs, ledger.takeChanges(), []);
      if (second % 400 !== 0) continue;
      const found = [...(await reader.accountsSince(BEGIN)).values()].flat();
      assert.deepEqual(runsOf(found), runsOf((await readLedger(dir, BEGIN)).accounts));
    }
    await files.close();
  });

  it('waits for the end of a line', async () => {
    const torn = mkdtempSync(path.join(dir, 'torn-'));
    const file = path.join(torn, ledgerFileName({ number: 1, hour: BEGIN / HOUR_MS }));
    const reader = new LedgerReader(torn);
    const first = BEGIN / 1000;
    appendFileSync(
      file,
      `${JSON.stringify({ account: 0, camera: 'gate', openedAt: 1, periodMs: 1000, first })}\n{"at":${BEGIN},"confi`,
    );
    assert.deepEqual(runsOf((await reader.accountsSince(BEGIN)).get('gate') ?? []), [['gate', []]]);
    appendFileSync(file, `rmed":[["0",${first},${first + 8}]]}\n`);
    const [, runs] = runsOf((await reader.accountsSince(BEGIN)).get('gate') ?? [])[0] ?? [];
    assert.deepEqual(runs, [{ first, last: first + 8, fate: { state: 'confirmed' } }]);
  });
});
