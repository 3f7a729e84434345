/** `probe`: opens one feed once and reports its properties, or why it delivers no picture. Needs no daemon and no servers. */
import { encodePpm } from '../actors/camera/pictures/encode';
import type { Picture } from '../actors/camera/pictures/decoder';
import { feedName } from '../config/feed-name';
import { probeFeed } from '../actors/camera/capture/probe';
import { probeReport } from '../actors/camera/capture/probe-report';
import { loadTopology, parseTopology } from '../config/load';
import { STILL_SCHEMES, STREAM_SCHEMES } from '../config/schema';
import type { CameraSpec } from '../config/topology';
import { urlProblem } from '../url/url';
import { throwIfNotPermitted } from '../os/access';
import { print } from '../os/output';
import { saveFile } from './save-file';
import { ExitFault } from '../fault/fault';
import { findFfmpeg, needsNoFfmpeg, whyNoFfmpeg } from '../supervisor/ffmpeg-program';
import { EXIT } from './exit-codes';
import { styleOf } from './style';
import { probeText } from './probe-report';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const SAVED_FORMATS = { '.jpg': 'jpeg', '.jpeg': 'jpeg', '.png': 'png', '.webp': 'webp' } as const;

export interface ProbeOptions {
  readonly config: string;
  readonly json: boolean;
  /** As it was typed: it may contain credentials. */
  readonly url: string | undefined;
  /** A camera of the configuration, instead of a URL. */
  readonly camera: string | undefined;
  /** The URL is that of a still picture. */
  readonly still: boolean;
  /** File for a picture. */
  readonly save: string | undefined;
  /** How long at most. */
  readonly seconds: number;
}

/**
 * Prints the report; resolves with the exit code.
 * @throws Fault `bad-url`, `no-camera`, `usage`, `missing-program`, `cannot-save`; ConfigurationError
 */
export async function probe(args: ProbeOptions): Promise<number> {
  const { camera: configured, ffmpeg: named } = feedOf(args);
  const camera: CameraSpec = { ...configured, ...pictureFormat(configured, args.save) };
  const ffmpeg = findFfmpeg(named, camera.source);
  if (ffmpeg === undefined && !needsNoFfmpeg(camera.source))
    throw new ExitFault('missing-program', `missing on this machine: ffmpeg (${whyNoFfmpeg(named)})`);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of SIGNALS) process.on(signal, stop);
  const found = await probeFeed(camera, ffmpeg ?? 'ffmpeg', args.seconds * 1000, stopping.signal);
  // From here on a signal ends the process at once, even if nothing reads the report.
  for (const signal of SIGNALS) process.off(signal, stop);
  const saved = await save(found.picture, camera, args.save);
  const report = probeReport(feedName(camera.source), found, saved);
  await print(
    `${args.json ? JSON.stringify(report, null, 2) : probeText(report, styleOf(process.stdout, process.env))}\n`,
  );
  return found.fault === undefined ? EXIT.clean : EXIT.unavailable;
}

function feedOf({ url, still, camera: id, config }: ProbeOptions): {
  camera: CameraSpec;
  ffmpeg?: string | undefined;
} {
  if (url !== undefined) return { camera: cameraOfUrl(url, still) };
  throwIfNotPermitted(config);
  const { cameras, ffmpeg } = loadTopology(config, process.env);
  const camera = cameras.find((other) => other.id === id);
  const known = cameras.map((other) => other.id).join(', ') || 'none';
  if (camera === undefined)
    throw new ExitFault('no-camera', `${config} has no enabled camera "${id ?? ''}"; it has: ${known}`);
  return { camera, ffmpeg };
}

/** The camera as configured with this URL and all defaults. */
function cameraOfUrl(url: string, still: boolean): CameraSpec {
  const problem = urlProblem(url, still ? STILL_SCHEMES : STREAM_SCHEMES);
  if (problem !== undefined) throw new ExitFault('bad-url', `the URL to probe: ${problem}`);
  const file = { cameras: [{ id: 'probe', [still ? 'still' : 'url']: url.replaceAll('${', () => '$${') }] };
  const [camera] = parseTopology(JSON.stringify(file), 'probe', {}).cameras;
  if (camera === undefined) throw new ExitFault('bad-url', 'the URL to probe is not valid');
  return camera;
}

/** The format of the picture: by the file's name, else that in which the camera's frames are stored. */
function pictureFormat({ format }: CameraSpec, file: string | undefined): Pick<CameraSpec, 'format'> {
  if (file === undefined) return { format };
  const wanted = Object.entries(SAVED_FORMATS).find(([extension]) => file.toLowerCase().endsWith(extension));
  if (wanted === undefined)
    throw new ExitFault('usage', '--save expects a name that ends with .jpg, .png or .webp; see --help');
  return { format: wanted[1] };
}

async function save(
  picture: Picture | undefined,
  { format, quality }: CameraSpec,
  file: string | undefined,
): Promise<string | undefined> {
  if (picture === undefined || file === undefined) return undefined;
  const bytes =
    picture.format === 'ppm'
      ? await encodePpm(picture.bytes, format === 'webp' ? 'webp' : 'png', quality)
      : picture.bytes;
  await saveFile(file, bytes);
  return file;
}
