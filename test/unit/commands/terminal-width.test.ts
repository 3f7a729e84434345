/** What `ledger`, `plan` and `probe` print fits a terminal, whatever names, reasons and faults they show. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ledgerText } from '../../../src/commands/ledger';
import { planText } from '../../../src/commands/plan';
import { probeText } from '../../../src/commands/probe-report';
import type { ProbeReport } from '../../../src/protocol/probe';
import { WIDTH } from '../../../src/commands/table';

const LONG_ID = 'camera-'.repeat(9);
const SENTENCE = 'the camera answers with something that takes a long sentence to explain '.repeat(5).trim();

function assertFits(text: string, holds: readonly string[]): void {
  for (const line of text.split('\n')) assert.ok(line.length <= WIDTH, line);
  const words = text.replace(/\s+/g, ' ');
  for (const part of holds) assert.ok(words.includes(part), `${part} is missing in ${text}`);
}

describe('on a terminal of 100 columns', () => {
  it('the ledger fits', () => {
    const exception = {
      ...({ state: 'gap', reason: 'unknown-authentication', periods: 604_800 } as const),
      ...{ from: '2026-11-26T07:22:29.000Z', to: '2026-11-26T07:22:29.800Z' },
      ...{ firstSequence: 1, lastSequence: 2 },
    };
    const coverage = (camera: string) => ({
      ...{ camera, periods: 604_800, confirmed: 604_800, waiting: 604_800, coverage: 0.99999 },
      ...{ dropped: { 'spool-age': 604_800 }, gap: { refused: 604_800 }, exceptions: [exception] },
    });
    const text = ledgerText(
      {
        ...{ since: '2026-11-26T07:22:29.000Z', recordedUntil: '2026-11-26T07:22:29.000Z' },
        ...{ unreadableLines: 12, evicted: 123_456 },
        events: [{ at: Date.now(), event: 'clock-set', byMs: 3_600_000 }],
        cameras: [coverage('gate'), coverage(LONG_ID)],
      },
      Date.now(),
    );
    assertFits(text, [
      LONG_ID,
      'unknown-authentication',
      '2026-11-26T07:22:29Z 2026-11-26T07:22:29.800Z',
      '99.99 %',
    ]);
  });

  it('a plan fits', () => {
    const many = Array.from({ length: 200 }, (_, i) => `camera:c${i}`);
    const change = {
      name: `camera:${LONG_ID}`,
      because: ['url', 'username', 'password', 'sampling', 'transport', 'rate'],
    };
    const text = planText({
      start: many,
      stop: [change.name],
      restart: [change],
      adjust: [change],
      leave: many,
    });
    assertFits(text, [...many, change.name, 'transport, rate']);
  });

  it('a report of a probe fits', () => {
    const report: ProbeReport = {
      ...{ feed: `rtsp://camera.example/${'path/'.repeat(40)}`, codec: 'h264', width: 1920, height: 1080 },
      ...{ picturesPerSecond: 25, keyframeIntervalMs: null, firstPictureMs: 2000, clockOffsetMs: 3 },
      ...{
        sampling: 'between-keyframes',
        samplingReason: SENTENCE,
        processorSecondsPerMinute: 5,
        measuredForMs: 4000,
      },
      ...{ transport: 'tcp', decoding: null, saved: `/srv/${'x'.repeat(200)}.jpg` },
      fault: { code: 'not-a-stream', message: SENTENCE },
    };
    assertFits(probeText(report), [SENTENCE, 'h264']);
  });
});
