/** Times of log lines on a terminal: they carry their date and their offset from UTC. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { localTime } from '../../../src/log/local-time';

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
});
