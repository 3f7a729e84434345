/** `snapshot`: the current picture of a camera, from the link that its process keeps to the newest file of the spool. */
import path from 'node:path';
import { Problem } from '../actors/web/http/problem';
import { Gallery } from '../actors/web/pictures/gallery';
import { ageMs } from '../actors/web/pictures/present';
import { presentPicture } from '../actors/web/pictures/present-pictures';
import { DaemonView } from '../actors/web/view/daemon-view';
import { loadTopology } from '../config/load';
import type { Frame } from '../contract/frame';
import { askDaemon } from '../control/client';
import type { DaemonStatus } from '../control/protocol';
import { ExitFault, Fault } from '../fault/fault';
import { print } from '../os/output';
import { newestDirOf } from '../spool/newest';
import { findFfmpeg } from '../supervisor/ffmpeg-program';
import type { ConfiguredCamera } from '../supervisor/status';
import { EXIT } from './exit-codes';
import type { Places } from './options';
import { saveFile } from './save-file';
import { duration } from './table';

export interface SnapshotOptions extends Places {
  /** Its id. */
  readonly camera: string;
  /** Absolute; undefined for standard output. */
  readonly file: string | undefined;
  readonly json: boolean;
}

/**
 * Saves the picture; resolves with the exit code.
 * @throws ExitFault `no-picture` when there is none, or only an old one; `no-child`, `no-daemon`, `not-permitted`, `cannot-save`, `usage`
 */
export async function snapshot({ camera, file, json, ...places }: SnapshotOptions): Promise<number> {
  if (file === undefined && process.stdout.isTTY)
    throw new ExitFault(
      'usage',
      'standard output is a terminal, which cannot show a JPEG; redirect it, or name a file',
    );
  const { frame, jpeg } = await presentJpeg(camera, places);
  if (file === undefined) {
    await print(jpeg);
    return EXIT.clean;
  }
  await saveFile(file, jpeg);
  const { capturedAt, width, height } = frame;
  const record = { camera, file, capturedAt, ageMs: ageMs(frame, Date.now()), width, height };
  const time = new Date(capturedAt).toISOString();
  await print(
    json
      ? `${JSON.stringify({ ...record, bytes: jpeg.length }, null, 2)}\n`
      : `${file}: ${camera} at ${time}, ${duration(record.ageMs)} ago, ${width}x${height}\n`,
  );
  return EXIT.clean;
}

async function presentJpeg(
  camera: string,
  { config, dataDir }: Places,
): Promise<{ readonly frame: Frame; readonly jpeg: Buffer }> {
  const daemon = new DaemonView(
    {
      status: async () => (await askDaemon(dataDir, '/status')) as DaemonStatus,
      cameras: async () => (await askDaemon(dataDir, '/cameras')) as ConfiguredCamera[],
    },
    '',
  );
  const view = await daemon.view();
  // Only keyframes need ffmpeg.
  const ffmpeg = () => findFfmpeg(loadTopology(config, process.env).ffmpeg) ?? 'ffmpeg';
  try {
    const gallery = new Gallery(newestDirOf(path.join(dataDir, 'spool')), ffmpeg);
    return await (await presentPicture(view, gallery, camera, undefined)).make();
  } catch (error) {
    throw exitFaultOf(error);
  }
}

function exitFaultOf(error: unknown): unknown {
  if (error instanceof Problem)
    return new ExitFault(error.code === 'no-camera' ? 'no-child' : 'no-picture', error.message, {
      cause: error,
    });
  if (!(error instanceof Fault)) return error;
  // Links are those of the daemon's user, and root's are not read through.
  const isForeign = error.code === 'spool-foreign';
  return isForeign
    ? new ExitFault('not-permitted', `${error.message}; run this command as the user of the daemon`, {
        cause: error,
      })
    : new ExitFault('no-picture', error.message, { cause: error });
}
