/** Names of spooled pictures: sorted by capture time, and all the store needs to know is in them. */
import { CLOCKS, formatOfExtension, frameExtension, type Frame, type FrameClock } from '../contract/frame';
import { parseVerdictToken, verdictToken } from '../contract/verdict';

const NAME =
  /^(\d{13})-(\d{1,15})-(\d{1,5})x(\d{1,5})(?:of([1-9]\d{0,4})x([1-9]\d{0,4}))?(?:r(90|180|270))?-(\d{1,10})(?:-([a-z]+\d{1,3}(?:=[a-z-]{1,40})?))?(?:_(camera|arrival)([+-]\d{1,15})?(u)?(?:d([1-9]\d{0,9}))?)?\.([a-z0-9]{3,4})$/;

/** `<captured ms>-<sequence>-<width>x<height>[of<source width>x<source height>][r<degrees>]-<bytes>[-<verdict>][_<clock>[<skew>][u][d<link delay>]].<extension>`; `u`: by a clock that was not set; files of older versions lack the optional parts. */
export function spoolName(frame: Frame): string {
  const { capturedAt, sequence, width, height, bytes, format, verdict } = frame;
  const judged = verdict === undefined ? '' : `-${verdictToken(verdict)}`;
  const time = String(capturedAt).padStart(13, '0');
  return `${time}-${sequence}-${width}x${height}${sourceToken(frame)}-${bytes}${judged}${clockToken(frame)}.${frameExtension(format)}`;
}

/** The frame that a spool name describes; undefined for any other name, such as a temporary file's. */
export function parseSpoolName(camera: string, name: string): Frame | undefined {
  const match = NAME.exec(name);
  const format = formatOfExtension(match?.[14] ?? '');
  if (match === null || format === undefined) return undefined;
  const [capturedAt = 0, sequence = 0, width = 0, height = 0] = match.slice(1, 5).map(Number);
  const [sourceWidth, sourceHeight, rotation, bytes] = match.slice(5, 9);
  const judged = match[9];
  const verdict = parseVerdictToken(judged ?? '');
  // The frame must yield the same name again: one with an unknown verdict would name another file.
  if (judged !== undefined && (verdict === undefined || verdictToken(verdict) !== judged)) return undefined;
  const [, clockName, skew, unset, delay] = match.slice(9);
  const clock = readClock(clockName, skew, unset, delay);
  const token = `_${clockName ?? ''}${skew ?? ''}${unset ?? ''}${delay === undefined ? '' : `d${delay}`}`;
  if (clockToken(clock) !== (clockName === undefined ? '' : token)) return undefined;
  return {
    ...{ camera, capturedAt, sequence, width, height, bytes: Number(bytes), format },
    ...(sourceWidth === undefined
      ? {}
      : { sourceWidth: Number(sourceWidth), sourceHeight: Number(sourceHeight) }),
    ...(rotation === undefined ? {} : { rotation: Number(rotation) as 90 | 180 | 270 }),
    ...(verdict === undefined ? {} : { verdict }),
    ...clock,
  };
}

/** `of1920x1080r90`; empty if the camera's picture size is unknown; without `r` if the picture is upright. */
function sourceToken({ sourceWidth, sourceHeight, rotation }: Frame): string {
  const size =
    sourceWidth === undefined || sourceHeight === undefined ? '' : `of${sourceWidth}x${sourceHeight}`;
  return `${size}${rotation === undefined ? '' : `r${rotation}`}`;
}

/** `_arrival`, `_camera-120`, `_arrival+3600000u`, `_camera-5d2100`; empty if the clock is unknown. */
function clockToken({ clock, clockSkewMs, clockUnset, linkDelayMs }: Partial<FrameClock>): string {
  if (clock === undefined) return '';
  const skew = clockSkewMs === undefined ? '' : `${clockSkewMs < 0 ? '' : '+'}${clockSkewMs}`;
  const delay = linkDelayMs === undefined ? '' : `d${linkDelayMs}`;
  return `_${clock}${skew}${clockUnset === true ? 'u' : ''}${delay}`;
}

function readClock(name?: string, skew?: string, unset?: string, delay?: string): Partial<FrameClock> {
  const clock = CLOCKS.find((known) => known === name);
  if (clock === undefined) return {};
  return {
    clock,
    ...(skew === undefined ? {} : { clockSkewMs: Number(skew) }),
    ...(unset === undefined ? {} : { clockUnset: true }),
    ...(delay === undefined ? {} : { linkDelayMs: Number(delay) }),
  };
}
