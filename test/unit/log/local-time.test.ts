/** Times of log lines on a terminal: they carry their date and their offset from UTC. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, it } from 'node:test';
import { localTime } from '../../../src/log/local-time';

const LOG = path.resolve(__dirname, '../../../src/log/log.ts');

describe('a time on a terminal', () => {
  const rows: readonly [zone: string, shown: string][] = [
    ['UTC', '2026-01-01 00:30:05.007 +00:00'],
    ['Europe/Berlin', '2026-01-01 01:30:05.007 +01:00'],
    ['America/St_Johns', '2025-12-31 21:00:05.007 -03:30'],
    ['Asia/Kathmandu', '2026-01-01 06:15:05.007 +05:45'],
  ];
  for (const [zone, shown] of rows)
    it(`in ${zone} is the local one with its offset`, (t) => {
      const before = process.env['TZ'];
      process.env['TZ'] = zone;
      t.after(() => {
        if (before === undefined) delete process.env['TZ'];
        else process.env['TZ'] = before;
      });
      assert.equal(localTime(new Date(Date.UTC(2026, 0, 1, 0, 30, 5, 7))), shown);
    });

  it('begins every readable line of the log', () => {
    const script = `require(${JSON.stringify(LOG)}).openLog('store', 'info').info('it runs')`;
    const shown = execFileSync(process.execPath, ['--import', 'tsx', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'Asia/Kathmandu', NO_COLOR: '1', VIGIL_LOG_FORMAT: 'readable' },
    });
    assert.match(shown, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+05:45 info {2}store\[\d+\] it runs\n$/);
  });
});
