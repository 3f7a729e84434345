/** How many pictures of H.265 are looked through for damage, within the limit on the time that takes, and what that costs, by the bits of their stream. */
import path from 'node:path';
import { toSplitter } from '../../src/actors/camera/ffmpeg/invocation';
import { PacketSplitter } from '../../src/actors/camera/ffmpeg/packet-splitter';
import { markdownTable } from '../markdown-table';
import { filtered, FPS } from './clips';

const MEGABITS = [0.5, 1, 2, 4];
const SECONDS = 8;
/** With that the reserve of the beginning is used up in all of them. */
const ROUNDS = 12;
/** How many of the last rounds are measured. */
const MEASURED_ROUNDS = 4;

/** As a camera runs it: what the tests' loader makes of it takes half as much again. */
const BUILT = path.resolve(__dirname, '../../dist/actors/camera/bitstream/h265-reader.js');
type Built = typeof import('../../src/actors/camera/bitstream/h265-reader');

/** One row for each bit rate. */
export async function checkedTable(): Promise<string> {
  const { H265Reader } = (await import(BUILT)) as Built;
  const rows: string[][] = [];
  for (const megabits of MEGABITS) {
    const units = await coded(1000 * megabits);
    const bytes = units.reduce((sum, unit) => sum + unit.length, 0);
    const real = (8 * bytes) / SECONDS / 1e6;
    const cells = [() => true, (key: boolean) => key].flatMap((isDecoded) => {
      const { share, ms } = looks(new H265Reader(), units, isDecoded);
      return [`${(100 * share).toFixed(0)} %`, ms.toFixed(2)];
    });
    rows.push([real.toFixed(1), ...cells]);
  }
  const ms = 'ms of processor a picture received';
  const head = [`Mbit/s at ${FPS} pictures a second`, 'if all are decoded', ms, 'if only keyframes are', ms];
  return markdownTable(head, rows);
}

interface Looks {
  /** The share of decoded pictures that were checked. */
  readonly share: number;
  /** Processor time per picture received. */
  readonly ms: number;
}

function looks(
  reader: InstanceType<Built['H265Reader']>,
  units: readonly Buffer[],
  isDecoded: (key: boolean) => boolean,
): Looks {
  let [looked, all, microseconds] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    if (round === ROUNDS - MEASURED_ROUNDS) [looked, all, microseconds] = [0, 0, 0];
    for (const unit of units) {
      const key = reader.read(unit)?.key === true;
      if (!isDecoded(key)) continue;
      const before = process.cpuUsage();
      const isLooked = reader.damageIn(unit) !== 'unchecked';
      const { user, system } = process.cpuUsage(before);
      microseconds += user + system;
      all++;
      if (isLooked) looked++;
    }
  }
  return { share: looked / all, ms: microseconds / 1000 / units.length / MEASURED_ROUNDS };
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
