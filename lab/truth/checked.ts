/** How many pictures of H.265 are looked through for damage, within the limit on the time that takes, by the bits of their stream. */
import { toSplitter } from '../../src/actors/camera/ffmpeg/invocation';
import { PacketSplitter } from '../../src/actors/camera/ffmpeg/packet-splitter';
import { H265Reader } from '../../src/actors/camera/bitstream/h265-reader';
import { markdownTable } from '../markdown-table';
import { filtered, FPS } from './clips';

const MEGABITS = [0.5, 1, 2, 4];
const SECONDS = 8;
/** With that the reserve of the beginning is used up in all of them. */
const ROUNDS = 12;

/** One row for each bit rate. */
export async function checkedTable(): Promise<string> {
  const rows: string[][] = [];
  for (const megabits of MEGABITS) {
    const units = await coded(1000 * megabits);
    const bytes = units.reduce((sum, unit) => sum + unit.length, 0);
    const real = (8 * bytes) / SECONDS / 1e6;
    const shares = [share(units, () => true), share(units, (key) => key)];
    rows.push([real.toFixed(1), ...shares.map((part) => `${(100 * part).toFixed(0)} %`)]);
  }
  const head = [`Mbit/s at ${FPS} pictures a second`, 'if all are decoded', 'if only keyframes are'];
  return markdownTable(head, rows);
}

/** Of the pictures that are decoded, in the last of many rounds. */
function share(units: readonly Buffer[], isDecoded: (key: boolean) => boolean): number {
  const reader = new H265Reader();
  let [looked, all] = [0, 0];
  for (let round = 1; round <= ROUNDS; round++)
    for (const unit of units) {
      const key = reader.read(unit)?.key === true;
      if (!isDecoded(key)) continue;
      const isLooked = reader.damageIn(unit) !== 'unchecked';
      if (round < ROUNDS) continue;
      all++;
      if (isLooked) looked++;
    }
  return looked / all;
}

async function coded(kilobits: number): Promise<Buffer[]> {
  const source = `testsrc2=size=640x360:rate=${FPS},noise=alls=16:allf=t:all_seed=7,format=yuv420p`;
  const rate = `bitrate=${kilobits}:vbv-maxrate=${kilobits}:vbv-bufsize=${kilobits}`;
  const params = `log-level=error:repeat-headers=1:keyint=${2 * FPS}:pools=1:frame-threads=1:${rate}`;
  const encoder = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', params];
  const input = ['-f', 'lavfi', '-i', source, '-t', String(SECONDS)];
  return new PacketSplitter()
    .push(await filtered([...input, ...encoder, '-map', '0:v', ...toSplitter()], []))
    .map(({ bytes }) => bytes);
}
