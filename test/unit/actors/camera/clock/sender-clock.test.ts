/** What ffmpeg writes about a sender's clock, whole, cut, corrupted and invented: the result is a skew or nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { Packet } from '../../../../../src/actors/camera/ffmpeg/packet-splitter';
import { SenderClock, type SenderTime } from '../../../../../src/actors/camera/clock/sender-clock';
import { type Random, rounds, seededRandom } from '../../../../../lab/random';

/** What ffmpeg 5.1 wrote for 5 s of gst-rtsp-server, by the receiver's own command line. */
const WRITTEN = readFileSync(path.join(__dirname, '../../../../fixtures/sender-times.mp4'));
/** From the same run: arrival of each keyframe. The muxer writes the times of one two keyframes later. */
const ARRIVALS = [
  1795657330561, 1795657331559, 1795657332562, 1795657333557, 1795657334557, 1795657335557,
] as const;
const SKEWS_MS = [-5, -3, -6];

const packet = (key = true, known = true): Packet => ({
  ...{ pts: 90, key, checksum: '0', corrupt: false, bytes: Buffer.alloc(1) },
  ...(known ? { hasSenderTime: true } : {}),
});
const arrival = (dueAt: number) => ({ dueAt, arrivedMs: dueAt });
const KEYFRAMES = ARRIVALS.map((dueAt) => [packet(), arrival(dueAt)] as const);
const skews = (times: readonly SenderTime[]) => times.map(({ skewMs }) => Math.round(skewMs));

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
  it('is that of keyframes with a reported time; for the others ffmpeg wrote its own', () => {
    const clock = new SenderClock();
    for (const [i, [one, at]] of KEYFRAMES.entries())
      assert.deepEqual(clock.saw(i === 0 ? packet(true, false) : one, at), []);
    assert.deepEqual(skews(clock.push(WRITTEN)), SKEWS_MS.slice(1));
    assert.deepEqual(clock.push(WRITTEN), [], 'each is told once');
  });

  it('is the same however the output is split, and whichever of the two pipes is read first', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < rounds(500); round++) {
      const clock = new SenderClock();
      const [keyframes, pieces] = [[...KEYFRAMES], cut(random, WRITTEN)];
      const found: SenderTime[] = [];
      while (keyframes.length + pieces.length > 0) {
        const next = random.next() < 0.2 ? keyframes.shift() : undefined;
        if (next !== undefined) found.push(...clock.saw(...next));
        else found.push(...clock.push(pieces.shift() ?? Buffer.alloc(0)));
      }
      assert.deepEqual(skews(found), SKEWS_MS);
    }
  });

  it('is absent, or belongs to the right keyframe, when bits are flipped or bytes are missing or doubled; nothing is thrown', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < rounds(5000); round++) {
      const damaged = Buffer.from(WRITTEN);
      for (let flips = random.between(0, 20); flips > 0; flips--) {
        const at = random.between(0, damaged.length - 1);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << random.between(0, 7));
      }
      const [from, to] = [random.between(0, damaged.length), random.between(0, damaged.length)];
      const output = Buffer.concat([damaged.subarray(0, from), damaged.subarray(to)]);
      const clock = new SenderClock();
      const found = KEYFRAMES.flatMap((one) => clock.saw(...one));
      for (const piece of cut(random, output)) found.push(...clock.push(piece));
      assert.ok(skews(found).every(Number.isFinite));
      assert.ok(found.length <= 2 * SKEWS_MS.length);
    }
  });

  it('accepts arbitrary bytes without throwing, and without keeping them', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < rounds(300); round++) {
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
    it(`${what} is ${skewMs} ms off`, () => {
      const clock = new SenderClock();
      clock.saw(packet(), arrival(AT_S * 1000));
      const [found] = clock.push(prft(ntpSeconds, 0));
      assert.equal(Math.round(found?.skewMs ?? NaN), skewMs);
      assert.equal(Math.round((found?.senderMs ?? NaN) - AT_S * 1000), skewMs);
      assert.deepEqual([found?.mediaMs, found?.arrivedMs], [90, AT_S * 1000]);
    });

  it("is corrected for keyframes that arrived before this machine's clock was set", () => {
    const clock = new SenderClock();
    clock.saw(packet(), arrival(60_000));
    clock.machineSet(AT_S * 1000 - 60_000);
    assert.deepEqual(skews(clock.push(prft(NTP_S, 0))), [0]);
  });

  it('counts only keyframes, and ignores times of keyframes that never arrived', () => {
    const clock = new SenderClock();
    clock.saw(packet(false), arrival(1));
    assert.deepEqual(clock.push(Buffer.concat([prft(NTP_S, 0), prft(NTP_S, 7)])), []);
    assert.equal(clock.saw(packet(), arrival(2)).length, 1);
  });

  it('keeps only a few unmatched entries: they do not accumulate', () => {
    const clock = new SenderClock();
    for (let i = 0; i < 1000; i++) clock.saw(packet(), arrival(i));
    assert.deepEqual(clock.push(prft(NTP_S, 1)), [], 'the oldest has been forgotten');
    assert.equal(clock.push(prft(NTP_S, 999)).length, 1);
  });

  it('has stopped when times arrived and then none for many keyframes, as when ffmpeg has closed that output', () => {
    const clock = new SenderClock();
    const see = (count: number) => {
      for (let i = 0; i < count; i++) clock.saw(packet(), arrival(i));
    };
    see(100);
    assert.equal(clock.hasStopped, false, 'one that never gave any cannot stop');
    clock.push(prft(NTP_S, 99));
    see(20);
    assert.equal(clock.hasStopped, false);
    clock.push(prft(NTP_S, 118));
    see(40);
    assert.equal(clock.hasStopped, true);
  });
});
