/** The count of `process`: once a minute, and only when it has changed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CountReports } from '../../../src/consumer/frame-process';

describe('the count of processed frames', () => {
  it('is logged once a minute while it changes, and at the end', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const counters = { processed: 0, expired: 0, invalid: 0, failed: 0 };
    const lines: string[] = [];
    const reports = new CountReports(
      () => counters,
      (level, message) => lines.push(`${level} ${message}`),
    );
    for (let second = 1; second <= 180; second++) {
      if (second <= 120) counters.processed++;
      t.mock.timers.tick(1000);
    }
    assert.deepEqual(lines, ['info processed 60 frames', 'info processed 120 frames']);
    reports.close();
    assert.equal(lines.length, 2);
    counters.processed++;
    reports.close();
    assert.equal(lines.at(-1), 'info processed 121 frames');
    t.mock.timers.tick(60_000);
    assert.equal(lines.length, 3);
  });
});
