/** A real RTSP server for tests: gst-rtsp-server with B-frames, sent early and shown later, and with sound. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { withDeadline } from '../../src/clock/sleep';
import { run, spawnOwned } from '../process';
import type { AudioCodec } from './camera-audio';
import type { SentUnit } from './camera-description';
import type { RtpCodec } from './rtp-packets';

/** The system's python: python3-gi is installed for it, not for any other on PATH. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = path.join(__dirname, 'gst_tracks.py');
const READY_DEADLINE_MS = 20_000;

export interface GstMount {
  readonly codec: Exclude<RtpCodec, 'mpeg4'>;
  readonly units: readonly SentUnit[];
  readonly fps: number;
  readonly audio?: { readonly codec: AudioCodec; readonly first: boolean };
  /** Right before the last packet of a picture is sent. */
  readonly onSent?: (number: number, atMs: number) => void;
}

export interface GstTracks {
  url(mount: string): string;
  readonly stop: () => Promise<void>;
}

/** @param mounts by path, beginning with a slash */
export async function startGstTracks(mounts: Readonly<Record<string, GstMount>>): Promise<GstTracks> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vigil-gst-'));
  const clean = () => rm(folder, { recursive: true, force: true });
  try {
    const described = await describe(folder, mounts);
    const program = await spawnOwned(PYTHON, ['-u', PROGRAM]);
    const port = new Promise<number>((resolve) => {
      createInterface({ input: program.stdout }).on('line', (line) => {
        const record = JSON.parse(line) as { port?: number; sent?: string; picture?: number; atMs?: number };
        if (record.port !== undefined) resolve(record.port);
        else mounts[record.sent ?? '']?.onSent?.(record.picture ?? -1, record.atMs ?? 0);
      });
    });
    program.stdin.write(`${JSON.stringify({ mounts: described })}\n`);
    const ended = program.exited.then(() => undefined);
    const listening = await withDeadline(Promise.race([port, ended]), READY_DEADLINE_MS);
    if (listening === undefined) {
      await program.end();
      throw new Error(`the RTSP server does not listen: ${program.stderr()}`);
    }
    return {
      url: (mount) => `rtsp://127.0.0.1:${listening}${mount}`,
      stop: async () => {
        await program.end();
        await clean();
      },
    };
  } catch (fault) {
    await clean();
    throw fault;
  }
}

async function describe(folder: string, mounts: Readonly<Record<string, GstMount>>): Promise<object> {
  const described: Record<string, object> = {};
  const clips = [...new Set(Object.values(mounts).map(({ units }) => units))];
  for (const [mount, { codec, units, fps, audio }] of Object.entries(mounts)) {
    const i = clips.indexOf(units);
    const files = {
      units: path.join(folder, `${i}.units`),
      index: path.join(folder, `${i}.json`),
    };
    await writeFile(files.units, Buffer.concat(units.map(({ bytes }) => bytes)));
    const index = units.map(({ bytes, number, sentAt, shownAt }) => [bytes.length, number, sentAt, shownAt]);
    await writeFile(files.index, JSON.stringify(index));
    const adts = audio?.codec === 'aac' ? await adtsFile(folder) : undefined;
    described[mount] = { codec, fps, ...files, audio: audio?.codec ?? null, audioFirst: audio?.first, adts };
  }
  return described;
}

async function adtsFile(folder: string): Promise<string> {
  const file = path.join(folder, 'tone.aac');
  const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=16000:duration=2'];
  const { code, stderr } = await run('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...tone,
    '-c:a',
    'aac',
    '-b:a',
    '32k',
    file,
  ]);
  if (code !== 0) throw new Error(`no AAC: ${stderr}`);
  return file;
}
