/** Sound as cameras send it over RTP: packets of 20 ms of G.711, or frames of AAC (RFC 3551, RFC 3640). */
import { run } from '../process';
import type { SideTrack } from './camera-description';

export type AudioCodec = 'pcma' | 'pcmu' | 'aac';

const TELEPHONE_HZ = 8000;
const AAC_HZ = 16_000;
const AAC_FRAME = 1024;
const AAC_PAYLOAD = 97;

export async function audioTrack(codec: AudioCodec): Promise<SideTrack> {
  return codec === 'aac' ? aacTrack() : telephoneTrack(codec);
}

function telephoneTrack(codec: 'pcma' | 'pcmu'): SideTrack {
  const payloadType = codec === 'pcma' ? 8 : 0;
  const ticksPerPacket = TELEPHONE_HZ / 50;
  return {
    ...{ name: 'audio', media: 'audio' },
    payloadType,
    attributes: [`a=rtpmap:${payloadType} ${codec.toUpperCase()}/${TELEPHONE_HZ}`],
    packetMs: 20,
    ticksPerPacket,
    marker: false,
    // Silence.
    payloads: [Buffer.alloc(ticksPerPacket, codec === 'pcma' ? 0xd5 : 0xff)],
  };
}

async function aacTrack(): Promise<SideTrack> {
  const tone = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${AAC_HZ}:duration=2`];
  const { code, stdout, stderr } = await run('ffmpeg', [
    ...['-v', 'error', ...tone, '-c:a', 'aac', '-b:a', '32k', '-f', 'adts', 'pipe:1'],
  ]);
  if (code !== 0) throw new Error(`no AAC: ${stderr}`);
  const frames = adtsFrames(stdout);
  return {
    ...{ name: 'audio', media: 'audio' },
    payloadType: AAC_PAYLOAD,
    attributes: [
      `a=rtpmap:${AAC_PAYLOAD} mpeg4-generic/${AAC_HZ}/1`,
      // AAC LC, 16 kHz, one channel: ISO 14496-3, 1.6.
      `a=fmtp:${AAC_PAYLOAD} streamtype=5;profile-level-id=1;mode=AAC-hbr;config=1408;sizelength=13;indexlength=3;indexdeltalength=3`,
    ],
    packetMs: (1000 * AAC_FRAME) / AAC_HZ,
    ticksPerPacket: AAC_FRAME,
    marker: true,
    // One header of 16 bits, which holds the frame's size.
    payloads: frames.map((frame) =>
      Buffer.concat([Buffer.from([0, 16, frame.length >> 5, (frame.length << 3) & 0xff]), frame]),
    ),
  };
}

/** Without their headers of seven bytes. */
function adtsFrames(stream: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 7 <= stream.length;) {
    const bytes = (stream.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
    frames.push(stream.subarray(at + 7, at + bytes));
    at += bytes;
  }
  return frames;
}
