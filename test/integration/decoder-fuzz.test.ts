/** Real access units and real output of ffmpeg, cut and flipped: a decoder answers for every sample, and survives. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { pictureLook } from '../../src/actors/camera/pictures/look';
import { Decoder, type Picture } from '../../src/actors/camera/pictures/decoder';
import { PacketSplitter } from '../../src/actors/camera/ffmpeg/packet-splitter';
import type { Sample } from '../../src/actors/camera/sampling/sample';
import { Fault } from '../../src/fault/fault';
import { encodedUnits } from '../../lab/encoded-units';
import { seededRandom, type Random } from '../../lab/random';
import { until } from '../../lab/until';
import { cameraSpec } from '../../lab/camera-spec';

const NO_SIZE = { width: 0, height: 0 };
/** Seeds that once found a fault. */
const FAULTY_SEEDS = [1206146180, 1222464288];
const SPOILED_UNITS = 500;
/** H.264 reorders 16 pictures at most. */
const SOUND_UNITS = 20;
const SPOILED_OUTPUTS = 10_000;
const SOURCE = 'testsrc2=size=320x180:rate=1';
const CAMERA = cameraSpec({ frozenMs: 0 });

/** Spoils the bytes and never leaves none, since the splitter gives no empty packet. */
function spoiled(random: Random, whole: Buffer): Buffer {
  const bytes = Buffer.from(whole.subarray(0, random.between(1, whole.length)));
  for (let flips = random.between(0, 8); flips > 0; flips--)
    bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
  return bytes;
}

for (const seed of [undefined, ...FAULTY_SEEDS])
  describe(`a decoder with input spoiled ${seed === undefined ? 'at random' : `by seed ${seed}`}`, () => {
    for (const codec of ['h264', 'mjpeg'] as const)
      it(`answers for each of ${SPOILED_UNITS} spoiled ${codec} units, and decodes sound ones after them`, async (t) => {
        const random = seededRandom(t, seed);
        const units = await encodedUnits({ source: SOURCE, seconds: 4, codec });
        const [pictures, lost]: [Picture[], Sample[]] = [[], []];
        const faults: Fault[] = [];
        const decoder = new Decoder(
          {
            camera: CAMERA,
            ffmpeg: 'ffmpeg',
            codec,
            look: pictureLook(CAMERA, { codec, height: 0 }, undefined, false),
          },
          {
            onPicture: (picture) => pictures.push(picture),
            onLost: (sample) => lost.push(sample),
            onFault: (fault) => faults.push(fault),
            onStderr: () => undefined,
          },
        );
        const [sound = Buffer.alloc(0)] = units;
        for (let sequence = 1; sequence <= SPOILED_UNITS; sequence++)
          decoder.feed(
            { bytes: spoiled(random, random.pick(units)), size: NO_SIZE, renews: true },
            { capturedAt: 1000 * sequence, sequence },
          );
        // A spoiled header may make the decoder wait for pictures to reorder: some sound ones flush it.
        const last = SPOILED_UNITS + SOUND_UNITS;
        for (let sequence = SPOILED_UNITS + 1; sequence <= last; sequence++)
          decoder.feed(
            { bytes: sound, size: NO_SIZE, renews: true },
            { capturedAt: 1000 * sequence, sequence },
          );
        await until(
          'a sound picture',
          () => (pictures.at(-1)?.sample.sequence ?? 0) > SPOILED_UNITS || faults.length > 0,
        );
        await decoder.finish();
        assert.deepEqual(faults, []);
        const answered = [...pictures.map(({ sample }) => sample), ...lost].map(({ sequence }) => sequence);
        assert.deepEqual(
          answered.sort((a, b) => a - b),
          Array.from({ length: last }, (_, i) => i + 1),
        );
        t.diagnostic(`${pictures.length} pictures, ${lost.length} lost`);
        assert.deepEqual([pictures.at(-1)?.width, pictures.at(-1)?.height], [320, 180]);
        assert.ok(lost.length > 0, 'some were spoiled beyond decoding');
      });

    it(`gives packets or a Fault for ${SPOILED_OUTPUTS} spoiled outputs of ffmpeg`, (t) => {
      const random = seededRandom(t, seed);
      const output = execFileSync('ffmpeg', [
        ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x36:rate=1', '-frames:v', '3'],
        ...['-c:v', 'mjpeg', '-f', 'tee', '-map', '0:v', '[f=framecrc]pipe\\:1|[f=data]pipe\\:1'],
      ]);
      assert.equal(new PacketSplitter().push(output).length, 3);
      let faults = 0;
      for (let i = 0; i < SPOILED_OUTPUTS; i++)
        try {
          for (const { bytes } of new PacketSplitter().push(spoiled(random, output)))
            assert.ok(bytes.length > 0);
        } catch (error) {
          assert.ok(error instanceof Fault, String(error));
          assert.ok(error.message.length < 200 && !/[^\x20-\x7e]/.test(error.message), error.message);
          faults++;
        }
      assert.ok(faults > SPOILED_OUTPUTS / 100, `${faults} faults: flips are found`);
    });
  });
