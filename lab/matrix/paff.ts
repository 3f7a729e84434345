/**
 * Field-coded H.264 (PAFF) that no free encoder makes: each field is a picture and an access unit of its own, its points
 * as they are (I_PCM), so that what is decoded is exactly what was drawn. ITU-T H.264, 7.3. Pure.
 */

/** A frame's points, 4:2:0, BT.601, without padding; width a multiple of 16, height of 32. */
export interface YuvFrame {
  readonly width: number;
  readonly height: number;
  readonly planes: Buffer;
}

/** Macroblock type I_PCM in an I slice (table 7-11). */
const I_PCM = 25;
const I_SLICE = 7;
const NAL = { idr: 0x65, slice: 0x61, sps: 0x67, pps: 0x68 } as const;
const DELIMITER = Buffer.from([0, 0, 0, 1, 0x09, 0xf0]);
/** Bits of frame_num and of the picture order count, as the sequence parameters below say. */
const FRAME_NUM_BITS = 4;
const ORDER_BITS = 8;

/** Access units, two for each frame; the first field is the top one. A frame each `gop` begins with an IDR field. */
export function* paffUnits(
  frames: Iterable<YuvFrame>,
  gop: number,
): Generator<{ bytes: Buffer; key: boolean }> {
  let t = 0;
  for (const frame of frames) {
    const inGroup = t % gop;
    const isKey = inGroup === 0;
    for (const field of [0, 1] as const) {
      const isIdr = isKey && field === 0;
      const slice = fieldSlice(frame, field, {
        isIdr,
        idrId: Math.floor(t / gop) % 2,
        frameNum: inGroup % 2 ** FRAME_NUM_BITS,
        order: (2 * inGroup + field) % 2 ** ORDER_BITS,
      });
      const parameters = isIdr ? [sequenceParameters(frame), pictureParameters()] : [];
      yield { bytes: Buffer.concat([DELIMITER, ...parameters, slice]), key: isIdr };
    }
    t++;
  }
}

function fieldSlice(
  { width, height, planes }: YuvFrame,
  field: 0 | 1,
  head: { isIdr: boolean; idrId: number; frameNum: number; order: number },
): Buffer {
  // first_mb, type, parameter set, frame_num, field_pic_flag, bottom_field_flag
  const bits = new Bits().ue(0).ue(I_SLICE).ue(0).u(FRAME_NUM_BITS, head.frameNum).u(1, 1).u(1, field);
  if (head.isIdr) bits.ue(head.idrId);
  bits.u(ORDER_BITS, head.order);
  // Marking of references, quantiser, no deblocking.
  bits
    .u(head.isIdr ? 2 : 1, 0)
    .se(0)
    .ue(1);
  const chroma = { width: width / 2, at: width * height, bytes: (width * height) / 4 };
  for (let my = 0; my < height / 32; my++)
    for (let mx = 0; mx < width / 16; mx++) {
      bits.ue(I_PCM).align();
      for (let y = 0; y < 16; y++) {
        const from = (2 * (16 * my + y) + field) * width + 16 * mx;
        bits.bytes(planes.subarray(from, from + 16));
      }
      for (const plane of [0, 1])
        for (let y = 0; y < 8; y++) {
          const line = 2 * (8 * my + y) + field;
          const from = chroma.at + plane * chroma.bytes + line * chroma.width + 8 * mx;
          bits.bytes(planes.subarray(from, from + 8));
        }
    }
  return nal(head.isIdr ? NAL.idr : NAL.slice, bits.end());
}

/** Main profile, level 4: order counts are sent, four reference frames, fields allowed, no cropping, no VUI. */
function sequenceParameters({ width, height }: YuvFrame): Buffer {
  const bits = new Bits().u(8, 77).u(8, 0).u(8, 40).ue(0);
  bits
    .ue(FRAME_NUM_BITS - 4)
    .ue(0)
    .ue(ORDER_BITS - 4)
    .ue(2)
    .u(1, 0);
  bits.ue(width / 16 - 1).ue(height / 32 - 1);
  return nal(NAL.sps, bits.u(1, 0).u(1, 0).u(1, 1).u(1, 0).u(1, 0).end());
}

function pictureParameters(): Buffer {
  const bits = new Bits().ue(0).ue(0).u(1, 0).u(1, 0).ue(0).ue(0).ue(0).u(1, 0).u(2, 0);
  return nal(NAL.pps, bits.se(0).se(0).se(0).u(1, 1).u(1, 0).u(1, 0).end());
}

/** With the start code, and a 3 wherever the bytes would look like one (7.4.1). */
function nal(header: number, payload: Buffer): Buffer {
  const out = Buffer.alloc(5 + Math.ceil(1.5 * payload.length));
  out.writeUInt32BE(1, 0);
  out[4] = header;
  let [at, zeros] = [5, 0];
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out[at++] = 3;
      zeros = 0;
    }
    out[at++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, at);
}

/** Bits, the highest first. */
class Bits {
  readonly #out: number[] = [];
  #byte = 0;
  #filled = 0;

  u(bits: number, value: number): this {
    for (let i = bits - 1; i >= 0; i--) {
      this.#byte = (this.#byte << 1) | ((value >> i) & 1);
      if (++this.#filled === 8) this.#flush();
    }
    return this;
  }

  /** Exp-Golomb (9.1). */
  ue(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.u(length, 0).u(length + 1, value + 1);
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  align(): this {
    while (this.#filled > 0) this.u(1, 0);
    return this;
  }

  /** Only where aligned. */
  bytes(bytes: Buffer): this {
    for (const byte of bytes) this.#out.push(byte);
    return this;
  }

  end(): Buffer {
    this.u(1, 1).align();
    return Buffer.from(this.#out);
  }

  #flush(): void {
    this.#out.push(this.#byte);
    this.#byte = 0;
    this.#filled = 0;
  }
}
