/** The camera actor with a small shell program in the place of ffmpeg, and what it spools and reports. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext } from 'node:test';
import startCamera from '../src/actors/camera/actor';
import type { CameraSpec } from '../src/config/topology';
import type { Frame } from '../src/contract/frame';
import type { CameraState, Gap } from '../src/contract/message';
import type { ActorReport } from '../src/protocol/messages';
import type { Progress } from '../src/protocol/progress';
import { Spool } from '../src/spool/spool';

export const URL_WITH_PASSWORD = 'rtsp://u:s3cr3t@cam/live';

/** Shell functions for the programs: `picture BYTES [MS [CODEC]]` writes a packet as ffmpeg does, captured MS from now. */
const PRELUDE = `#!/bin/sh
cd "$(dirname "$0")"
echo $$ >> pids
run=$(wc -l < pids)
picture() {
  pts=$(( $(date +%s%3N) + \${2:-0} ))
  echo "#codec_id 0: \${3:-mjpeg}"
  echo "#dimensions 0: 2x1"
  echo "0, $pts, $pts, 1, $1, 0x0"
  head -c "$1" /dev/zero
}
`;

/** Programs started so far. */
export function started(dir: string): number {
  const file = path.join(dir, 'pids');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

export interface ScriptedCamera {
  readonly dir: string;
  readonly reports: ActorReport[];
  readonly lines: string[];
  readonly frames: () => readonly Frame[];
  readonly states: () => readonly CameraState[];
  readonly gaps: () => readonly Gap[];
  readonly spool: Spool;
  /** Process ids of the programs started so far. */
  readonly pids: () => Promise<number[]>;
  readonly stop: () => Promise<void>;
  readonly facts: () => Progress['facts'];
}

/** Starts a camera whose ffmpeg is the given shell program; it reconnects after a few milliseconds. */
export async function openCamera(
  t: TestContext,
  program: string,
  changes: Partial<CameraSpec> = {},
): Promise<ScriptedCamera> {
  t.mock.method(Math, 'random', () => 0.02);
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-camera-'));
  const ffmpeg = path.join(dir, 'ffmpeg');
  await writeFile(ffmpeg, PRELUDE + program);
  await chmod(ffmpeg, 0o700);
  const reports: ActorReport[] = [];
  const lines: string[] = [];
  const write = (message: string) => lines.push(message);
  const spoolDir = path.join(dir, 'spool');
  const actor = startCamera({
    parameters: {
      camera: {
        id: 'gate',
        source: { kind: 'stream', url: URL_WITH_PASSWORD, transport: 'tcp' },
        periodMs: 10,
        format: 'jpeg',
        quality: 80,
        sampling: 'auto',
        deinterlace: true,
        stallMs: 10_000,
        maxDelayMs: 5000,
        frozenMs: 60_000,
        connectMs: 10_000,
        retryMs: 30_000,
        ...changes,
      },
      ffmpeg: program === '' ? path.join(dir, 'missing') : ffmpeg,
      spoolDir,
      minFreeBytes: 0,
    },
    log: { error: write, warn: write, info: write, debug: write },
    report: (report) => reports.push(report),
  });
  t.after(async () => {
    await actor.stop();
    await rm(dir, { recursive: true, maxRetries: 5 });
  });
  return {
    dir,
    reports,
    lines,
    frames: () => reports.flatMap((report) => (report.kind === 'frame' ? [report.frame] : [])),
    states: () => reports.flatMap((report) => (report.kind === 'camera-state' ? [report.state] : [])),
    gaps: () => reports.flatMap((report) => (report.kind === 'gap' ? [report.gap] : [])),
    spool: new Spool(spoolDir),
    pids: async () => {
      const text = await readFile(path.join(dir, 'pids'), 'utf8').catch(() => '');
      return text.split('\n').filter(Boolean).map(Number);
    },
    stop: () => actor.stop(),
    facts: () => actor.progress().facts,
  };
}
