import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Complaints } from '../../../../../src/actors/camera/pictures/complaints';

const ERROR = '[hevc @ 0x1] [error] CABAC_MAX_BIN : 31';
const WHOLE = '[hevc @ 0x1] [debug] Decoded frame with POC 4.';
const PACKET = '[hevc @ 0x1] [debug] nal_unit_type: 1(TRAIL_R), nuh_layer_id: 0, temporal_id: 0';
const KEYFRAME = '[hevc @ 0x1] [debug] nal_unit_type: 36(EOS_NUT), nuh_layer_id: 0, temporal_id: 0';
const picture = (pts: number) =>
  `[Parsed_select_0 @ 0x2] [debug] n:1.000000 pts:${pts}.000000 t:0.005000 key:0 interlace_type:P`;

/** The finding for each picture, by its time. */
function found(complaints: Complaints, lines: readonly string[], times: readonly number[]) {
  for (const line of lines) complaints.hear(line);
  return times.map((pts) => complaints.take(pts)?.damage?.reason);
}

function fed(times: readonly number[], saysWhole = false, renewsAt: readonly number[] = []): Complaints {
  const complaints = new Complaints(saysWhole);
  for (const pts of times) complaints.fed(pts, { renews: renewsAt.includes(pts), damage: undefined });
  return complaints;
}

describe('a complaint of the decoder', () => {
  it('is about the picture that comes next, and those that build on it, but none before', () => {
    const lines = [picture(1), ERROR, picture(3), picture(5)];
    assert.deepEqual(found(fed([1, 3, 5]), lines, [1, 3, 5]), [undefined, 'decode-error', 'decode-error']);
  });

  it('ends with the picture that renews the stream', () => {
    const lines = [ERROR, picture(1), picture(3), picture(5)];
    const complaints = fed([1, 3, 5], false, [5]);
    assert.deepEqual(found(complaints, lines, [1, 3, 5]), ['decode-error', 'decode-error', undefined]);
  });

  it('about a packet without a picture is not about the keyframe after it', () => {
    const lines = [picture(1), PACKET, ERROR, KEYFRAME, picture(5)];
    assert.deepEqual(found(fed([1, 3, 5], false, [5]), lines, [1, 5]), [undefined, undefined]);
  });

  it('about a picture that is not wanted also holds for the wanted ones after it', () => {
    assert.deepEqual(found(fed([0, 2, 5]), [picture(0), ERROR, picture(2), picture(5)], [5]), [
      'decode-error',
    ]);
  });

  it('is counted once, even if each output names the picture', () => {
    const lines = [ERROR, picture(1), picture(1), picture(3), picture(3)];
    assert.deepEqual(found(fed([1, 3], false, [3]), lines, [1, 3]), ['decode-error', undefined]);
  });
});

describe('a picture that was not decoded to its end', () => {
  it('counts as cut', () => {
    const lines = [PACKET, WHOLE, picture(1), PACKET, picture(3)];
    assert.deepEqual(found(fed([1, 3], true), lines, [1, 3]), [undefined, 'cut']);
  });

  it('is not known to be cut if it is returned before the decoder has reported it', () => {
    const complaints = fed([1, 3], true);
    assert.deepEqual(found(complaints, [PACKET, WHOLE, picture(1), PACKET], [1, 3]), [undefined, undefined]);
    assert.equal(complaints.namesPictures, true);
  });

  it('counts as cut, even if it is the first', () => {
    assert.deepEqual(found(fed([1], true), [PACKET, picture(1)], [1]), ['cut']);
  });

  it('remains unknown with a decoder that never reports it', () => {
    const times = Array.from({ length: 40 }, (_, i) => 2 * i + 1);
    const reasons = found(
      fed(times, true),
      times.flatMap((pts) => [PACKET, picture(pts)]),
      times,
    );
    assert.deepEqual([...new Set(reasons.slice(25))], [undefined]);
  });
});

it('a packet that itself shows damage spoils what builds on it, even without a message', () => {
  const complaints = new Complaints(false);
  complaints.fed(1, { renews: true, damage: undefined });
  complaints.fed(2, { renews: false, damage: { reason: 'missing-reference', confidence: 96 } });
  complaints.fed(5, { renews: false, damage: undefined });
  assert.deepEqual(found(complaints, [picture(1), picture(5)], [1, 5]), [undefined, 'missing-reference']);
});

it('a packet that was not checked leaves everything that builds on it unchecked', () => {
  const complaints = new Complaints(false);
  complaints.fed(1, { renews: true, damage: undefined });
  complaints.fed(2, { renews: false, damage: undefined, isUnchecked: true });
  complaints.fed(5, { renews: false, damage: undefined });
  complaints.fed(7, { renews: true, damage: undefined });
  for (const line of [picture(1), picture(5), picture(7)]) complaints.hear(line);
  const checked = [1, 5, 7].map((pts) => complaints.take(pts)?.isUnchecked);
  assert.deepEqual(checked, [false, true, false]);
});
