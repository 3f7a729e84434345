/** What ffmpeg writes, cut and mixed in every way: packets come out as they went in, or one clear fault does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sequenceParameters } from '../../../../../src/actors/camera/bitstream/codec';
import { isAnnexB } from '../../../../../src/actors/camera/bitstream/nal';
import { ivfHeader, ivfPacketHeader } from '../../../../../src/actors/camera/ffmpeg/ivf';
import { PacketSplitter, type Packet } from '../../../../../src/actors/camera/ffmpeg/packet-splitter';
import { Fault } from '../../../../../src/fault/fault';
import { type Random, rounds, seededRandom } from '../../../../../lab/random';

/** What ffmpeg 5.1 writes before the first packet. */
const HEADER = [
  '#extradata 0:       37, 0x9aff0881',
  '#software: Lavf59.27.100',
  '#tb 0: 1/1000000',
  '#media_type 0: video',
  '#codec_id 0: h264',
  '#dimensions 0: 1920x1080',
  '#sar 0: 1/1',
  '',
].join('\n');
const START = 1_795_381_140_432;
const FUZZ_CASES = rounds(10_000);
const NO_TIME = '-9223372036854775808';
const MARKS = { checksum: 'b872c797', corrupt: false } as const;

/** A packet as ffmpeg writes it; times in microseconds, as the header says. */
function written({ dts, pts, key, bytes }: Packet): Buffer {
  const [decoding, time] = [dts, pts].map((ms) => (ms === undefined ? NO_TIME : String(ms * 1000)));
  const size = String(bytes.length).padStart(9);
  return Buffer.concat([
    Buffer.from(`0, ${decoding ?? ''}, ${time ?? ''},        1,${size}, 0xb872c797${key ? '' : ', F=0x0'}\n`),
    bytes,
  ]);
}

function packetsOf(random: Random, count: number): Packet[] {
  return Array.from({ length: count }, (_, i) => ({
    dts: START + 40 * i,
    pts: START + 40 * (i + 2),
    key: random.next() < 0.3,
    ...MARKS,
    bytes: Buffer.from(
      Array.from({ length: random.between(1, 300) }, () => random.pick([0, 1, 10, 35, 48, 255])),
    ),
  }));
}

/** `whole` in pieces of random length. */
function cut(random: Random, whole: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length;) {
    const length = random.between(1, random.pick([1, 5, 60, 1000]));
    pieces.push(whole.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function split(pieces: readonly Buffer[]): Packet[] {
  const splitter = new PacketSplitter();
  return pieces.flatMap((piece) => splitter.push(piece));
}

describe('PacketSplitter', () => {
  it('finds every packet, however the output is split', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < rounds(300); round++) {
      const packets = packetsOf(random, random.between(1, 8));
      const output = Buffer.concat([Buffer.from(HEADER), ...packets.map(written)]);
      assert.deepEqual(split(cut(random, output)), packets);
    }
  });

  it('knows codec and size from the header, and takes new ones', () => {
    const splitter = new PacketSplitter();
    splitter.push(Buffer.from(HEADER));
    assert.deepEqual(splitter.header, { codec: 'h264', width: 1920, height: 1080, unitMs: 0.001 });
    splitter.push(Buffer.from('#codec_id 0: hevc\n#dimensions 0: 64x36\n'));
    assert.deepEqual(splitter.header, { codec: 'hevc', width: 64, height: 36, unitMs: 0.001 });
  });

  it('reads times in the unit the header names, and below 0', () => {
    const packet = { dts: -80, pts: -40, key: true, ...MARKS, bytes: Buffer.from('a') };
    assert.deepEqual(split([Buffer.from('#tb 0: 1/1000000\n'), written(packet)]), [packet]);
    const [grid] = split([Buffer.from('#tb 0: 1/25\n0, 3, 3, 1, 1, 0x0\na')]);
    assert.deepEqual([grid?.dts, grid?.pts], [120, 120]);
  });

  it('returns no time for a packet that has none', () => {
    const [packet] = split([written({ key: true, ...MARKS, bytes: Buffer.from('a') })]);
    assert.deepEqual(packet, { key: true, ...MARKS, bytes: Buffer.from('a') });
  });

  for (const [flags, key, corrupt = false] of [
    ['', true],
    [', F=0x0', false, false],
    [', F=0x2', false, true],
    [', F=0x3', true, true],
    [', F=0x5', true],
    [', F=0x0, S=1,        8, 0x01e00097', false],
    [', S=1,        8, 0x01e00097', true],
  ] as const)
    it(`takes "${flags}" for ${key ? 'a keyframe' : 'another packet'}`, () => {
      const [packet] = split([Buffer.from(`0, 1, 1, 1, 1, 0xb872c797${flags}\na`)]);
      assert.equal(packet?.key, key);
      assert.equal(packet.corrupt, corrupt);
    });

  for (const [sideData, known] of [
    ['', undefined],
    [', F=0x0, S=1,       16', true],
    [', S=1,       16, 0x01e00097', true],
    [', S=2,        8, 0x01e00097,       16', true],
    [', F=0x0, S=1, Producer Reference Time,       16, 0x01e00097', true],
    [', S=1,        8, 0x01e00097', undefined],
    [', S=1, New Extradata,       37, 0x01e00016', undefined],
    [',       16', undefined],
  ] as const)
    it(`takes "${sideData}" for a packet whose sender's time is ${known ? 'known' : 'not known'}`, () => {
      const [packet] = split([Buffer.from(`0, 1, 1, 1, 1, 0xb872c797${sideData}\na`)]);
      assert.equal(packet?.hasSenderTime, known);
    });

  it('returns packets that stay unchanged: later bytes touch none', () => {
    const splitter = new PacketSplitter();
    const [first] = splitter.push(Buffer.from('0, 1, 1, 1, 2, 0x0\nab0, 2'));
    splitter.push(Buffer.from(', 2, 1, 2, 0x0\ncd'));
    assert.equal(first?.bytes.toString(), 'ab');
  });

  for (const line of [
    'hello',
    '0',
    '0, 1, 2, 3',
    '0, 1, 2, 3, x, 0x0',
    '0, 1, NOPTS, 3, 4, 0x0',
    '0, 1, 2, 3, -4, 0x0',
    '0, 1, 2, 3, 0, 0x0',
    '1, 1, 2, 3, 4, 0x0',
    '  0, 1, 2, 3, 4, 0x0',
  ])
    it(`does not take "${line}" for a packet`, () =>
      assert.throws(
        () => split([Buffer.from(`${HEADER}${line}\n`)]),
        (error) =>
          error instanceof Fault &&
          error.code === 'bad-capture-output' &&
          error.message.includes(line.trim()),
      ));

  it('does not wait for the end of an endless line, nor quote it', () => {
    const splitter = new PacketSplitter();
    splitter.push(Buffer.alloc(900, 'x'));
    assert.throws(
      () => splitter.push(Buffer.alloc(900, 'x')),
      (error) => error instanceof Fault && error.message.length < 150,
    );
  });

  it('accepts a packet of 128 MiB and refuses a larger one before it arrives', () => {
    const limit = 128 * 1024 * 1024;
    assert.deepEqual(split([Buffer.from(`0, 1, 1, 1, ${limit}, 0x0\n`)]), []);
    assert.throws(() => split([Buffer.from(`0, 1, 1, 1, ${limit + 1}, 0x0\n`)]), {
      code: 'picture-too-large',
    });
  });

  it(`returns packets or a Fault, nothing else, for ${FUZZ_CASES} outputs cut and flipped`, (t) => {
    const random = seededRandom(t);
    let faults = 0;
    for (let i = 0; i < FUZZ_CASES; i++) {
      const output = Buffer.concat([Buffer.from(HEADER), ...packetsOf(random, 3).map(written)]);
      for (let flips = random.between(0, 4); flips > 0; flips--)
        output[random.between(0, output.length - 1)] = random.between(0, 255);
      try {
        const end = random.between(0, output.length);
        for (const { bytes } of split(cut(random, output.subarray(0, end)))) assert.ok(bytes.length > 0);
      } catch (error) {
        assert.ok(error instanceof Fault, String(error));
        assert.ok(error.message.length < 200 && !/[^\x20-\x7e]/.test(error.message), error.message);
        faults++;
      }
    }
    assert.ok(faults > FUZZ_CASES / 20, `${faults} faults: flips are found`);
  });
});

describe('sequence parameters', () => {
  const unit = (...nals: string[]) => Buffer.from(nals.map((nal) => `00000001${nal}`).join(''), 'hex');
  const sets = (codec: string, ...nals: string[]) => sequenceParameters(codec, unit(...nals)).toString('hex');

  it('of H.264 are its SPS, whatever surrounds it', () => {
    assert.match(sets('h264', '0910', '6742c028da', '68ce3c80', '65888400'), /^6742c028da/);
    assert.equal(sets('h264', '0910', '419a21'), '');
  });

  it('of H.265 are its SPS', () =>
    assert.match(sets('hevc', '460110', '40010c01', '4201010160a0', '4401c1', '2601af'), /^4201010160a0/));

  it('are not searched for after the first slice, nor in other codecs', () => {
    assert.equal(sets('h264', '65888400', '6742c028da'), '');
    assert.equal(sequenceParameters('mjpeg', unit('6742c028da')).length, 0);
  });

  it('differ if the size does, and not if only the picture does', () => {
    const first = sets('h264', '6742c028da', '68ce', '658884');
    assert.equal(sets('h264', '6742c028da', '68ce', '65aaaaaa'), first);
    assert.notEqual(sets('h264', '6742c01eda', '68ce', '658884'), first);
  });

  it(`are found or not, and never throw, for ${FUZZ_CASES} access units cut and flipped`, (t) => {
    const random = seededRandom(t);
    const whole = unit('0910', '6742c028da01e0089f97', '68ce3c80', '65888400aabbccdd');
    for (let i = 0; i < FUZZ_CASES; i++) {
      const bytes = Buffer.from(whole.subarray(0, random.between(0, whole.length)));
      if (bytes.length > 0) bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
      for (const codec of ['h264', 'hevc'])
        assert.ok(sequenceParameters(codec, bytes).length <= bytes.length);
    }
  });

  for (const [hex, expected] of [
    ['0000000167', true],
    ['0000016742', true],
    ['0142c016ff', false],
    ['00000021ff', false],
    ['000001', false],
    ['', false],
  ] as const)
    it(`${expected ? 'begin' : 'do not begin'} with a start code in ${hex || 'nothing'}`, () =>
      assert.equal(isAnnexB(Buffer.from(hex, 'hex')), expected));
});

describe('IVF', () => {
  it('has a header of 32 bytes in milliseconds, and 12 bytes before each packet', () => {
    const header = ivfHeader();
    assert.equal(header.toString('latin1', 0, 4), 'DKIF');
    assert.deepEqual([header.length, header.readUInt16LE(6)], [32, 32]);
    assert.deepEqual([header.readUInt32LE(16), header.readUInt32LE(20)], [1000, 1]);
    assert.equal(ivfPacketHeader(5, 7).toString('hex'), '050000000700000000000000');
  });
});
