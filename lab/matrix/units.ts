/** Cuts a clip into the units a camera sends one after the other, each with the number its picture carries. */
import { readFile } from 'node:fs/promises';
import { run } from '../process';
import type { ClipCodec, Recipe } from './recipe';

/** A picture as it is sent, or a field of one. */
export interface Unit {
  /** H.264 and H.265 with start codes. */
  readonly bytes: Buffer;
  /** Decodable alone, as the container says. */
  readonly key: boolean;
  /** The number drawn on it: its place in the order of display. */
  readonly number: number;
  /** When it is sent and when it is shown, in pictures from the beginning of the clip. */
  readonly sentAt: number;
  readonly shownAt: number;
}

const DEADLINE_MS = 60_000;
/** Start codes, and parameters with every keyframe. */
const IN_BAND: Partial<Record<ClipCodec, string>> = {
  h264: 'h264_mp4toannexb',
  h265: 'hevc_mp4toannexb',
  mpeg4: 'dump_extra=freq=keyframe',
};
/** AV_PKT_FLAG_KEY. */
const KEY_FLAG = 1;
/** An access unit delimiter of H.264. */
const DELIMITER = Buffer.from([0, 0, 0, 1, 0x09]);
/** What begins an access unit; the container's copy of the encoder's remarks comes before it, and no camera sends that. */
const BEGINNINGS: Partial<Record<ClipCodec, Buffer>> = {
  h264: Buffer.from([0, 0, 1, 0x09]),
  h265: Buffer.from([0, 0, 1, 0x46, 0x01]),
};

export async function cutUnits(recipe: Recipe, file: string): Promise<Unit[]> {
  return recipe.interlace === 'paff' ? fieldsOf(await readFile(file)) : packetsOf(recipe, file);
}

/** Two fields make a picture. */
function fieldsOf(stream: Buffer): Unit[] {
  const units: Unit[] = [];
  for (let start = 0; start < stream.length;) {
    const next = stream.indexOf(DELIMITER, start + DELIMITER.length);
    const end = next < 0 ? stream.length : next;
    const bytes = stream.subarray(start, end);
    const at = units.length / 2;
    const key = bytes.includes(Buffer.from([0, 0, 0, 1, 0x67]));
    units.push({ bytes, key, number: Math.floor(at), sentAt: at, shownAt: at });
    start = end;
  }
  return units;
}

async function packetsOf({ codec }: Recipe, file: string): Promise<Unit[]> {
  const filter = IN_BAND[codec];
  const copied = ['-map', '0:v', '-c', 'copy', ...(filter === undefined ? [] : ['-bsf:v', filter])];
  const read = async (format: string): Promise<Buffer> => {
    const { code, stdout, stderr } = await run(
      'ffmpeg',
      ['-v', 'error', '-i', file, ...copied, '-f', format, 'pipe:1'],
      DEADLINE_MS,
    );
    if (code !== 0) throw new Error(`clip ${file} cannot be cut: ${stderr}`);
    return stdout;
  };
  const [lines, data] = await Promise.all([read('framecrc'), read('data')]);
  const packets = packetLines(lines.toString());
  const order = [...packets].sort((a, b) => a.pts - b.pts);
  const numbers = new Map(order.map(({ pts }, number) => [pts, number]));
  let at = 0;
  const units = packets.map(({ pts, bytes, key }, i) => {
    const number = numbers.get(pts) ?? -1;
    const packet = data.subarray(at, (at += bytes));
    const from = packet.indexOf(BEGINNINGS[codec] ?? Buffer.alloc(0));
    if (from < 0) throw new Error(`clip ${file}: picture ${i} does not begin with a delimiter`);
    return { bytes: packet.subarray(from), key, number, sentAt: i, shownAt: number };
  });
  if (at !== data.length || numbers.size !== packets.length) throw new Error(`clip ${file} was cut wrongly`);
  return units;
}

/** `stream, dts, pts, duration, size, checksum[, flags]`; flags only where it is not a keyframe. */
function packetLines(text: string): { pts: number; bytes: number; key: boolean }[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, , pts, , size, , flags] = line.split(',').map((cell) => cell.trim());
      return { pts: Number(pts), bytes: Number(size), key: isKey(flags) };
    });
}

/** framecrc leaves the flags out where they say nothing but that. */
function isKey(flags: string | undefined): boolean {
  return flags === undefined || (Number(flags.replace('F=', '')) & KEY_FLAG) !== 0;
}
