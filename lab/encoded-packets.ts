/** Numbered pictures, encoded as asked: the packets as the encoder gives them, with the number of each one's picture. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { withNumbers } from './picture-number';
import { toSplitter } from '../src/actors/camera/ffmpeg/invocation';
import { PacketSplitter, type Packet } from '../src/actors/camera/ffmpeg/packet-splitter';

export interface NumberedPacket {
  readonly packet: Packet;
  /** Number of its picture in display order. */
  readonly number: number;
}

const WIDTH = 320;
const SCENE = `testsrc2=size=${WIDTH}x240:rate=25`;

/** @param encoder ffmpeg's arguments that choose and set the encoder, filters included */
export async function encodedPackets(
  pictures: number,
  encoder: readonly string[],
): Promise<NumberedPacket[]> {
  const { stdout } = await promisify(execFile)(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', withNumbers(SCENE, String(WIDTH), 25)],
      ...['-frames:v', String(pictures), '-pix_fmt', 'yuv420p', ...encoder, '-map', '0:v', ...toSplitter()],
    ],
    { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
  );
  return new PacketSplitter()
    .push(stdout)
    .map((packet) => ({ packet, number: Math.round((packet.pts ?? NaN) / 40) }));
}
