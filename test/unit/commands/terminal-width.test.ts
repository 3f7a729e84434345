/** What commands print fits the terminal, whatever names, reasons and faults they show. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listText } from '../../../src/commands/camera';
import { checkText } from '../../../src/commands/check';
import { ledgerText } from '../../../src/commands/ledger';
import { planText } from '../../../src/commands/plan';
import { probeText } from '../../../src/commands/probe-report';
import { childText, queuesLines, statusText } from '../../../src/commands/status-text';
import { styleOf } from '../../../src/commands/style';
import type { DaemonStatus } from '../../../src/control/protocol';
import type { ProbeReport } from '../../../src/protocol/probe';

const LONG_ID = 'camera-'.repeat(9);
const SENTENCE = 'the camera answers with something that takes a long sentence to explain '.repeat(5).trim();

/** Colours have characters but no width. */
const COLOUR = /\u001b\[\d+m/g;

function assertFitsIn(columns: number, text: string, holds: readonly string[]): void {
  const plain = text.replace(COLOUR, '');
  for (const line of plain.split('\n')) assert.ok(line.length <= columns, line);
  // Where a narrow terminal breaks words, none is lost.
  const letters = plain.replace(/\s+/g, '');
  for (const part of holds)
    assert.ok(letters.includes(part.replace(/\s+/g, '')), `${part} is missing in ${plain}`);
}

for (const columns of [60, 80, 100, 200]) describeTerminal(columns);

function describeTerminal(columns: number): void {
  describe(`on a terminal of ${columns} columns`, () => {
    const style = styleOf({ isTTY: true, columns }, {});
    const assertFits = (text: string, holds: readonly string[]) => assertFitsIn(columns, text, holds);

    it('the status and everything about a child fit', () => {
      const fault = { code: 'not-a-stream', message: SENTENCE, atMs: 0 };
      const child = {
        ...({ name: `camera:${LONG_ID}`, kind: 'camera', state: 'running' } as const),
        ...{ sinceMs: 0, pid: 4_194_304, restarts: 123_456, lastFault: fault },
        feed: { camera: LONG_ID, state: 'waiting' as const, sinceMs: 0, fault },
        delivered: { perSecond: 12.5, lastMinute: 750, lastAtMs: 0, width: 7680, height: 4320 },
        heartbeat: {
          atMs: 0,
          done: 1e9,
          memoryBytes: 1e9,
          facts: { sampling: 'between-keyframes', url: 'u'.repeat(150) },
        },
      };
      const service = { ...child, kind: 'store' as const, name: 'store' };
      const status: DaemonStatus = {
        ...{ pid: 4_194_304, startedAtMs: 0, ready: false, problems: [SENTENCE] },
        configuration: { file: `/srv/${'x'.repeat(150)}`, appliedAtMs: 0, behind: 200 },
        delivery: { waiting: 123_456, lastConfirmAtMs: 0, oldestWaitingMs: 1e9 },
        children: [service, child],
      };
      const now = Date.UTC(2026, 10, 26);
      assertFits(statusText(status, now, style), [LONG_ID, 'store', SENTENCE, '7680x4320']);
      assertFits(childText(child, now, style), [LONG_ID, SENTENCE, 'u'.repeat(150)]);
      const queue = {
        name: 'q'.repeat(120),
        origin: 'old' as const,
        messages: 1e6,
        consumers: 12,
        boundTo: [LONG_ID],
      };
      assertFits(queuesLines({ kind: 'known', queues: [queue] }, style).join('\n'), [queue.name, LONG_ID]);
      assertFits(queuesLines({ kind: 'unknown', message: SENTENCE }, style).join('\n'), [SENTENCE]);
    });

    it('a check and a list of cameras fit', () => {
      const url = `rediss://redis.example/${'path/'.repeat(40)}`;
      const processes = { node: 500, ffmpeg: 500, servers: 2 };
      const report = {
        ...{ cameras: [LONG_ID, 'gate'], redis: url, rabbitmq: url, queue: 'q'.repeat(120) },
        requirements: {
          ...{
            bytesPerPicture: 1,
            pictures: 1e6,
            picturesPerSecond: 500,
            redisBytes: 1e12,
            descriptors: 1e6,
            processes,
          },
          spool: { bound: 'maxBytes' as const, seconds: 1e6 },
        },
        missing: [{ program: 'ffmpeg', why: SENTENCE }],
      };
      assertFits(checkText(`/srv/${'x'.repeat(150)}`, report, style), [url, LONG_ID, SENTENCE]);
      const settings = {
        id: LONG_ID,
        url: `rtsp://camera.example/${'path/'.repeat(40)}`,
        tags: ['north', 'gate'],
      };
      assertFits(listText([{ settings, hidden: [] }], style), [LONG_ID, settings.url]);
    });

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
        style,
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
      const text = planText(
        { start: many, stop: [change.name], restart: [change], adjust: [change], leave: many },
        style,
      );
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
      assertFits(probeText(report, style), [SENTENCE, 'h264']);
    });
  });
}
