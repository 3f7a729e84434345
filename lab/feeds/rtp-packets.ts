/** Cuts pictures into RTP payloads: RFC 6184, 7798, 2435, 6416, 7741 and 9628. Pure. */

/** What a payload is made of, by the names of this repository's clips. */
export type RtpCodec = 'h264' | 'h265' | 'mjpeg' | 'mpeg4' | 'vp8' | 'vp9';

/** Payload bytes of one packet at most. */
const MTU = 1400;
const H264 = { sps: 7, pps: 8, delimiter: 9, fragment: 28 } as const;
const H265 = { vps: 32, sps: 33, pps: 34, delimiter: 35, fragment: 49 } as const;
const STATIC_JPEG = 26;
const DYNAMIC = 96;

/** Payloads of one picture, the last with the marker bit; without the access unit's delimiter, as cameras send it. */
export function payloadsOf(codec: RtpCodec, picture: Buffer, key: boolean): Buffer[] {
  switch (codec) {
    case 'h264':
      return nalUnits(picture)
        .filter((nal) => h264Type(nal) !== H264.delimiter)
        .flatMap(h264Payloads);
    case 'h265':
      return nalUnits(picture)
        .filter((nal) => h265Type(nal) !== H265.delimiter)
        .flatMap(h265Payloads);
    case 'mjpeg':
      return jpegPayloads(picture);
    case 'mpeg4':
      return chunks(picture, MTU);
    case 'vp8':
      // S: the start of a partition.
      return chunks(picture, MTU).map((chunk, i) =>
        Buffer.concat([Buffer.from([i === 0 ? 0x10 : 0]), chunk]),
      );
    case 'vp9':
      return chunks(picture, MTU).map((chunk, i, all) => {
        // P: predicted from another; B and E: the start and the end of a frame.
        const head = (key ? 0 : 0x40) | (i === 0 ? 0x08 : 0) | (i === all.length - 1 ? 0x04 : 0);
        return Buffer.concat([Buffer.from([head]), chunk]);
      });
  }
}

export function payloadType(codec: RtpCodec): number {
  return codec === 'mjpeg' ? STATIC_JPEG : DYNAMIC;
}

/**
 * The media section's attributes of SDP, but for the control URL.
 * @param keyframe one with the stream's parameters
 * @param withParameters whether the description states them too
 */
export function mediaAttributes(codec: RtpCodec, keyframe: Buffer, withParameters: boolean): string[] {
  const told = withParameters ? parametersOf(codec, keyframe) : '';
  switch (codec) {
    case 'h264':
      return ['a=rtpmap:96 H264/90000', `a=fmtp:96 packetization-mode=1${told}`];
    case 'h265':
      return ['a=rtpmap:96 H265/90000', ...(told === '' ? [] : [`a=fmtp:96 ${told}`])];
    case 'mjpeg':
      return ['a=rtpmap:26 JPEG/90000'];
    case 'mpeg4':
      return ['a=rtpmap:96 MP4V-ES/90000', `a=fmtp:96 profile-level-id=1${told}`];
    case 'vp8':
      return ['a=rtpmap:96 VP8/90000'];
    case 'vp9':
      return ['a=rtpmap:96 VP9/90000'];
  }
}

function parametersOf(codec: RtpCodec, keyframe: Buffer): string {
  const base64 = (nal: Buffer | undefined) => nal?.toString('base64') ?? '';
  switch (codec) {
    case 'h264': {
      const of = (type: number) => base64(nalUnits(keyframe).find((nal) => h264Type(nal) === type));
      return `;sprop-parameter-sets=${of(H264.sps)},${of(H264.pps)}`;
    }
    case 'h265': {
      const of = (type: number) => base64(nalUnits(keyframe).find((nal) => h265Type(nal) === type));
      return `sprop-vps=${of(H265.vps)};sprop-sps=${of(H265.sps)};sprop-pps=${of(H265.pps)}`;
    }
    case 'mpeg4': {
      const picture = keyframe.indexOf(Buffer.from([0, 0, 1, 0xb6]));
      return `;config=${keyframe.subarray(0, Math.max(0, picture)).toString('hex').toUpperCase()}`;
    }
    case 'mjpeg':
    case 'vp8':
    case 'vp9':
      return '';
  }
}

/** The units of an Annex B byte stream, without their start codes. */
export function nalUnits(stream: Buffer): Buffer[] {
  const code = Buffer.from([0, 0, 1]);
  const units: Buffer[] = [];
  let start = stream.indexOf(code);
  while (start >= 0) {
    const from = start + code.length;
    const next = stream.indexOf(code, from);
    let end = next < 0 ? stream.length : next;
    while (end > from && stream[end - 1] === 0) end--;
    units.push(stream.subarray(from, end));
    start = next;
  }
  return units;
}

function h264Type(nal: Buffer): number {
  return (nal[0] ?? 0) & 31;
}

function h265Type(nal: Buffer): number {
  return ((nal[0] ?? 0) >> 1) & 63;
}

/** FU-A: RFC 6184, 5.8. */
function h264Payloads(nal: Buffer): Buffer[] {
  if (nal.length <= MTU) return [nal];
  const indicator = ((nal[0] ?? 0) & 0xe0) | H264.fragment;
  return fragments(nal.subarray(1), MTU - 2, (flags) => Buffer.from([indicator, flags | h264Type(nal)]));
}

/** RFC 7798, 4.4.3. */
function h265Payloads(nal: Buffer): Buffer[] {
  if (nal.length <= MTU) return [nal];
  const indicator = ((nal[0] ?? 0) & 0x81) | (H265.fragment << 1);
  return fragments(nal.subarray(2), MTU - 3, (flags) =>
    Buffer.from([indicator, nal[1] ?? 0, flags | h265Type(nal)]),
  );
}

function fragments(body: Buffer, bytes: number, head: (flags: number) => Buffer): Buffer[] {
  return chunks(body, bytes).map((chunk, i, all) =>
    Buffer.concat([head((i === 0 ? 0x80 : 0) | (i === all.length - 1 ? 0x40 : 0)), chunk]),
  );
}

function chunks(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

/** RFC 2435: the tables in the first packet, 4:2:0 (type 1), sizes in blocks of eight points. */
function jpegPayloads(jpeg: Buffer): Buffer[] {
  const { tables, width, height, scan } = readJpeg(jpeg);
  const tableHead = Buffer.from([0, 0, tables.length >> 8, tables.length & 0xff]);
  const parts = chunks(scan, MTU - 8 - tableHead.length - tables.length);
  let offset = 0;
  return parts.map((part, i) => {
    const head = Buffer.from([0, 0, 0, 0, 1, 255, width >> 3, height >> 3]);
    head.writeUIntBE(offset, 1, 3);
    offset += part.length;
    return Buffer.concat(i === 0 ? [head, tableHead, tables, part] : [head, part]);
  });
}

function readJpeg(jpeg: Buffer): { tables: Buffer; width: number; height: number; scan: Buffer } {
  const tables: Buffer[] = [];
  let [width, height] = [0, 0];
  for (let at = 2; at < jpeg.length;) {
    const marker = jpeg[at + 1];
    const length = jpeg.readUInt16BE(at + 2);
    const body = jpeg.subarray(at + 4, at + 2 + length);
    if (marker === 0xdb) for (let i = 0; i < body.length; i += 65) tables.push(body.subarray(i + 1, i + 65));
    if (marker === 0xc0) [height, width] = [body.readUInt16BE(1), body.readUInt16BE(3)];
    at += 2 + length;
    if (marker === 0xda) return { tables: Buffer.concat(tables), width, height, scan: jpeg.subarray(at, -2) };
  }
  throw new Error('a JPEG without a scan');
}
