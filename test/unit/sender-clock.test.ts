/** What ffmpeg writes of a sender's clock, whole, cut, flipped and invented: skews come out of it, or nothing does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Packet } from '../../src/actors/camera/packet-splitter';
import { SenderClock } from '../../src/actors/camera/sender-clock';
import { seededRandom, type Random } from './support/random';

/** What ffmpeg 5.1 wrote for 5 s of gst-rtsp-server, by the receiver's own command line. */
const WRITTEN = readFileSync(path.join(__dirname, '../fixtures/sender-times.mp4'));
/** From the framecrc lines of the same run: arrival of each keyframe in ticks, and whether its sender's time was known. */
const KEYFRAMES = [
  [161587297324760, true],
  [161587297414763, true],
  [161587297504781, true],
  [161587297594915, true],
  [161587297684774, true],
] as const;
const SKEWS_MS = [-1, -1, -1, -2, -1];

const packet = (ticks: number, known: boolean, key = true): Packet => ({
  ...{ pts: ticks / 90, key, checksum: '0', corrupt: false, bytes: Buffer.alloc(1) },
  ...(known ? { hasSenderTime: true } : {}),
});
const PACKETS = KEYFRAMES.map(([ticks, known]) => packet(ticks, known));
const whole = (skews: readonly number[]) => skews.map(Math.round);

function cut(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = random.between(1, random.pick([1, 7, 40, 500]));
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** A box as ffmpeg writes it. */
function prft(ntpSeconds: number, mediaTime: number): Buffer {
  const box = Buffer.alloc(32);
  box.writeUInt32BE(32, 0);
  box.write('prft', 4);
  box.writeUInt32BE(0x01_00_00_18, 8);
  box.writeUInt32BE(1, 12);
  box.writeUInt32BE(Math.floor(ntpSeconds) % 2 ** 32, 16);
  box.writeUInt32BE(Math.floor((ntpSeconds % 1) * 2 ** 32), 20);
  box.writeBigInt64BE(BigInt(mediaTime), 24);
  return box;
}

describe("a sender's clock", () => {
  it('is that of keyframes whose time was reported; of the others ffmpeg wrote its own', () => {
    const clock = new SenderClock();
    const [[firstTicks]] = KEYFRAMES;
    const packets = [packet(firstTicks, false), ...PACKETS.slice(1)];
    assert.deepEqual(
      packets.flatMap((one) => clock.saw(one)),
      [],
    );
    assert.deepEqual(whole(clock.push(WRITTEN)), SKEWS_MS.slice(1));
    assert.deepEqual(clock.push(WRITTEN), [], 'each is told once');
  });

  it('is the same however the output is cut, and whichever of the two pipes is read first', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < 500; round++) {
      const clock = new SenderClock();
      const [packets, pieces] = [[...PACKETS], cut(random, WRITTEN)];
      const skews: number[] = [];
      while (packets.length + pieces.length > 0) {
        const next = random.next() < 0.2 ? packets.shift() : undefined;
        if (next !== undefined) skews.push(...clock.saw(next));
        else skews.push(...clock.push(pieces.shift() ?? Buffer.alloc(0)));
      }
      assert.deepEqual(whole(skews), SKEWS_MS);
    }
  });

  it('is nothing, or of the right keyframe, when bits are flipped, bytes missing or doubled; nothing is thrown', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < 5000; round++) {
      const damaged = Buffer.from(WRITTEN);
      for (let flips = random.between(0, 20); flips > 0; flips--) {
        const at = random.between(0, damaged.length - 1);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << random.between(0, 7));
      }
      const [from, to] = [random.between(0, damaged.length), random.between(0, damaged.length)];
      const output = Buffer.concat([damaged.subarray(0, from), damaged.subarray(to)]);
      const clock = new SenderClock();
      const skews = PACKETS.flatMap((one) => clock.saw(one));
      for (const piece of cut(random, output)) skews.push(...clock.push(piece));
      assert.ok(skews.every(Number.isFinite));
      assert.ok(skews.length <= 2 * SKEWS_MS.length);
    }
  });

  it('takes arbitrary bytes without a throw, and without keeping them', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < 300; round++) {
      const clock = new SenderClock();
      for (let i = 0; i < 50; i++) {
        const bytes = Buffer.from(
          Array.from({ length: random.between(0, 100) }, () => random.between(0, 255)),
        );
        assert.deepEqual(clock.push(bytes), []);
      }
    }
  });

  const AT_S = 1_795_413_612;
  const NTP_S = AT_S + 2_208_988_800;
  for (const [what, ntpSeconds, skewMs] of [
    ['equal', NTP_S, 0],
    ['an hour ahead', NTP_S + 3600, 3_600_000],
    ['behind by a moment', NTP_S - 0.25, -250],
    ['at the beginning of 1970', 2_208_988_800, -AT_S * 1000],
    ['beyond the end of the NTP era in 2036', 2 ** 32 + 5, (2 ** 32 + 5 - NTP_S) * 1000],
  ] as const)
    it(`${what} is ${String(skewMs)} ms off`, () => {
      const clock = new SenderClock();
      clock.saw(packet(AT_S * 90_000, true));
      assert.deepEqual(whole(clock.push(prft(ntpSeconds, AT_S * 90_000))), [skewMs]);
    });

  it('ignores packets between keyframes, and times of packets that never came', () => {
    const clock = new SenderClock();
    clock.saw(packet(90, true, false));
    assert.deepEqual(clock.push(Buffer.concat([prft(NTP_S, 90), prft(NTP_S, 180)])), []);
    assert.deepEqual(clock.saw({ ...packet(270, true), key: false }), []);
  });

  it('remembers so few of what never finds its other half that a day of them is no burden', () => {
    const clock = new SenderClock();
    for (let i = 1; i <= 1000; i++) clock.saw(packet(i * 90, true));
    assert.deepEqual(clock.push(prft(NTP_S, 90)), [], 'the oldest has been forgotten');
    assert.equal(clock.push(prft(NTP_S, 90_000)).length, 1);
  });
});
