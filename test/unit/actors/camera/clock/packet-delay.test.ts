/** The delay of packets, and the report of late pictures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DelayMeter } from '../../../../../src/actors/camera/clock/delay-meter';
import { delayFault } from '../../../../../src/actors/camera/clock/delay-faults';
import { backlogIn } from '../../../../../src/actors/camera/clock/receive-backlog';

describe('the delay of packets', () => {
  it('is relative to the fastest, and late packets stay late when the time is set', () => {
    const meter = new DelayMeter();
    meter.came({ mediaMs: 0, arrivedMs: 100, bytes: 1 }, 1 / 90);
    for (let i = 1; i <= 50; i++)
      meter.came({ mediaMs: 100 * i, arrivedMs: 100 + 150 * i, bytes: 1 }, 1 / 90, false);
    assert.equal(Math.round(meter.exactMs), 2500);
    meter.came({ mediaMs: -1_000_000, arrivedMs: 7700, bytes: 1 }, 1 / 90, false);
    const { exactMs, jumps } = meter;
    assert.ok(Math.abs(exactMs - 2400) <= 100, String(exactMs));
    assert.equal(jumps, 1);
  });

  it('of pictures that a camera had buffered is unknown: they arrive at once, and the newest is on time', () => {
    const meter = new DelayMeter();
    for (let i = 0; i <= 50; i++) meter.came({ mediaMs: 40 * i, arrivedMs: 1000 + i, bytes: 1 }, 1 / 90);
    assert.deepEqual([meter.exactMs, meter.sustainedMs], [0, 0]);
    meter.came({ mediaMs: 2040, arrivedMs: 1091, bytes: 1 }, 1 / 90);
    assert.ok(meter.exactMs < 1);
  });

  it('of one packet is its own, and of the last moments that of the fastest', () => {
    const meter = new DelayMeter();
    for (let i = 0; i < 50; i++) meter.came({ mediaMs: 40 * i, arrivedMs: 40 * i, bytes: 1 }, 1 / 90);
    meter.came({ mediaMs: 2000, arrivedMs: 2200, bytes: 1 }, 1 / 90);
    assert.ok(Math.abs(meter.exactMs - 200) < 1);
    assert.ok(meter.sustainedMs < 1);
    meter.came({ mediaMs: 2040, arrivedMs: 4040, bytes: 1 }, 1 / 90);
    assert.ok(Math.abs(meter.sustainedMs - 2000) < 5);
  });
});

describe('the report of late pictures', () => {
  const late = { kind: 'reopen', delayMs: 5230, arrivesKbps: 1204, streamKbps: 2011 } as const;

  it('names the rates, the age and what to do', () => {
    assert.deepEqual(delayFault(late, 'rtsp://cam/a', false, 0), {
      code: 'slow-link',
      message:
        "rtsp://cam/a arrives at 1204 kbit/s and its stream has 2011 kbit/s (60 %): its pictures are 5.2 s old when they come; reopening the feed at the newest; lower the camera's bit rate or frame rate, or give it a faster link",
    });
    assert.match(
      delayFault({ ...late, kind: 'tell' }, 'f', false, 0).message,
      /5\.2 s old when they come; lower/,
    );
  });

  it('names only the ratio if only keyframes are received', () =>
    assert.match(delayFault(late, 'f', true, 0).message, /^f arrives at 60 % of its speed: /));

  it('does not blame the link if data that has arrived waits to be read', () => {
    const { code, message } = delayFault(late, 'f', false, 1_000_000);
    assert.equal(code, 'read-slowly');
    assert.match(message, /this machine is overloaded/);
  });

  it('reads the waiting data from the tables of the kernel', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:43F8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 00 100 0 0 10 0',
      '   1: 0100007F:CC0C 0100007F:43F8 01 00000000:0001E240 00:00000000 00000000     0        0 4712 1 00 20 4 30 10 -1',
    ].join('\n');
    assert.equal(backlogIn(table, new Set(['4712'])), 123_456);
    assert.equal(backlogIn(table, new Set(['4711', '9'])), 0);
    assert.equal(backlogIn('', new Set(['4712'])), 0);
  });
});
