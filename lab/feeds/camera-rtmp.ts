/** An RTMP server that loops a clip: ffmpeg listens for one client and reports each picture that it passes on. */
import { createInterface } from 'node:readline';
import { spawnOwned } from '../process';
import { freePort } from '../free-port';
import { untilListening } from './rtmp';

export interface RtmpClip {
  /** H.264; its pictures are numbered in the order they are shown. */
  readonly file: string;
  readonly fps: number;
  readonly frames: number;
  readonly audio?: 'aac' | 'pcma' | 'pcmu';
  readonly port?: number;
  readonly onSent?: (number: number, atMs: number) => void;
}

export interface RtmpCamera {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const ENCODERS = { aac: 'aac', pcma: 'pcm_alaw', pcmu: 'pcm_mulaw' } as const;
/** In frames of some 20 ms: a picture waits for the sound of its time. */
const TONES = {
  aac: 'sine=frequency=440:sample_rate=44100',
  pcma: 'sine=frequency=440:sample_rate=8000:samples_per_frame=160',
  pcmu: 'sine=frequency=440:sample_rate=8000:samples_per_frame=160',
} as const;

/** Resolves when a client can connect. */
export async function startRtmpCamera(clip: RtmpClip): Promise<RtmpCamera> {
  const port = clip.port ?? (await freePort());
  const url = `rtmp://127.0.0.1:${port}/live/cam`;
  const ffmpeg = await spawnOwned('ffmpeg', rtmpArguments(clip, url));
  const { fps, frames, onSent } = clip;
  let unit = 1;
  createInterface({ input: ffmpeg.stdout }).on('line', (line) => {
    const [, base] = /^#tb 0: (\d+\/\d+)/.exec(line) ?? [];
    if (base !== undefined) unit = Number(base.split('/')[0]) / Number(base.split('/')[1]);
    else if (!line.startsWith('#'))
      onSent?.(Math.round(Number(line.split(',')[2]) * unit * fps) % frames, Date.now());
  });
  await untilListening(ffmpeg, port);
  return {
    url,
    stop: async () => {
      await ffmpeg.end();
    },
  };
}

/** The second output is a line for each picture that went out by the first. */
function rtmpArguments({ file, audio }: RtmpClip, url: string): string[] {
  const video = ['-re', '-stream_loop', '-1', '-i', file];
  const sound = audio === undefined ? [] : ['-re', '-f', 'lavfi', '-i', TONES[audio]];
  const codec = audio === undefined ? [] : ['-map', '1:a', '-c:a', ENCODERS[audio], '-ac', '1'];
  return [
    ...['-nostdin', '-v', 'error', ...video, ...sound],
    ...[
      '-map',
      '0:v',
      '-c:v',
      'copy',
      ...codec,
      '-max_interleave_delta',
      '1',
      '-flush_packets',
      '1',
      '-f',
      'flv',
      '-listen',
      '1',
      url,
    ],
    ...['-map', '0:v', '-c:v', 'copy', '-flush_packets', '1', '-f', 'framecrc', 'pipe:1'],
  ];
}
