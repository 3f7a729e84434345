/** Real bytes and names, cut and flipped: the parsers return a value or undefined; none throws. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sequenceParameters } from '../../src/actors/camera/bitstream/codec';
import { isAnnexB } from '../../src/actors/camera/bitstream/nal';
import { readJpeg } from '../../src/actors/camera/bitstream/jpeg';
import { parseFrameKey } from '../../src/contract/key';
import { parseSpoolName, spoolName } from '../../src/spool/names';
import { encodedUnits } from '../../lab/encoded-units';
import { seededRandom, type Random } from '../../lab/random';

const CASES_EACH = 2500;
const SOURCE = 'testsrc2=size=320x180:rate=1';

/** Cut at the end, flipped in some places. */
function spoiled(random: Random, whole: Buffer): Buffer {
  const bytes = Buffer.from(whole.subarray(0, random.between(0, whole.length)));
  for (let flips = random.between(0, 8); flips > 0 && bytes.length > 0; flips--)
    bytes[random.between(0, Math.min(bytes.length, 700) - 1)] = random.between(0, 255);
  return bytes;
}

describe('10,000 spoiled inputs', () => {
  it('make readJpeg return a size from the header, or nothing', async (t) => {
    const random = seededRandom(t);
    const [picture = Buffer.alloc(0)] = await encodedUnits({ source: SOURCE, seconds: 1, codec: 'mjpeg' });
    for (let i = 0; i < CASES_EACH; i++) {
      const read = readJpeg(spoiled(random, picture));
      assert.ok(read === undefined || (read.width > 0 && read.width <= 65_535 && read.height > 0));
    }
  });

  it('make sequenceParameters return a part of the input, or nothing', async (t) => {
    const random = seededRandom(t);
    const [unit = Buffer.alloc(0)] = await encodedUnits({ source: SOURCE, seconds: 1 });
    for (let i = 0; i < CASES_EACH; i++) {
      const bytes = spoiled(random, unit);
      isAnnexB(bytes);
      assert.ok(sequenceParameters(random.pick(['h264', 'hevc']), bytes).length <= 4096);
    }
  });

  it('make the spool read a name as the frame it states, or as none', (t) => {
    const random = seededRandom(t);
    const name = Buffer.from('1795381133042-1795381133-1920x1080-301442-torn95.jpg');
    for (let i = 0; i < CASES_EACH; i++) {
      const frame = parseSpoolName('gate', spoiled(random, name).toString('latin1'));
      assert.ok(frame === undefined || parseSpoolName('gate', spoolName(frame)) !== undefined);
    }
  });

  it('make a frame key give its own metadata, or none', (t) => {
    const random = seededRandom(t);
    const key = Buffer.from('vigil:frame:gate:1795381133042:1920x1080:jpeg');
    for (let i = 0; i < CASES_EACH; i++) {
      const parsed = parseFrameKey(spoiled(random, key).toString('latin1'));
      assert.ok(parsed === undefined || (parsed.width <= 99_999 && parsed.capturedAt >= 0));
    }
  });
});
