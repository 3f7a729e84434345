/** What `probe` found, for people and programs. Pure. */
import type { FeedMeasurement } from '../actors/camera/capture/probe';
import type { FaultRecord } from '../fault/fault';
import { PLAIN, type Style } from './style';
import { table, wrap } from './table';

/** The JSON of `probe --json`; null is what could not be measured. */
export interface ProbeReport {
  /** Without credentials. */
  readonly feed: string;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly picturesPerSecond: number | null;
  readonly keyframeIntervalMs: {
    readonly mean: number;
    readonly least: number;
    readonly most: number;
  } | null;
  readonly firstPictureMs: number | null;
  /** The camera's clock minus the arrival of its pictures. */
  readonly clockOffsetMs: number | null;
  readonly sampling: string;
  readonly samplingReason: string;
  /** Of the ffmpeg processes, measured on this machine while the feed was sampled. */
  readonly processorSecondsPerMinute: number | null;
  readonly measuredForMs: number | null;
  readonly transport: string | null;
  /** Where hardware was asked for: what decodes, and why not what was asked for. */
  readonly decoding: string | null;
  readonly saved: string | null;
  readonly fault: FaultRecord | null;
}

export function probeReport(feed: string, found: FeedMeasurement, saved: string | undefined): ProbeReport {
  const { stream, picture, packetsPerSecond, firstPictureMs, choice, cost, transport, decoding, fault } =
    found;
  return {
    feed,
    codec: stream?.codec ?? null,
    width: picture?.width ?? null,
    height: picture?.height ?? null,
    picturesPerSecond: packetsPerSecond === undefined ? null : Number(packetsPerSecond.toFixed(2)),
    keyframeIntervalMs: spread(found.keyframeIntervalsMs),
    firstPictureMs: firstPictureMs === undefined ? null : Math.round(firstPictureMs),
    clockOffsetMs: found.clockOffsetMs ?? null,
    sampling: choice.sampling,
    samplingReason: choice.samplingReason,
    processorSecondsPerMinute:
      cost === undefined ? null : Number(((60 * cost.processorMs) / cost.overMs).toFixed(2)),
    measuredForMs: cost === undefined ? null : Math.round(cost.overMs),
    transport: transport ?? null,
    decoding: decoding ?? null,
    saved: saved ?? null,
    fault: fault ?? null,
  };
}

/** A line for each thing that was found. */
export function probeText(report: ProbeReport, { width: lineWidth }: Style = PLAIN): string {
  const { codec, width, height, picturesPerSecond, keyframeIntervalMs: key, fault } = report;
  const rows: (readonly [string, string])[] = [
    ['codec', codec ?? 'unknown'],
    ['size', width === null ? 'unknown' : `${width}x${String(height)}`],
    ['rate', picturesPerSecond === null ? 'unknown' : `${picturesPerSecond} pictures per second`],
    [
      'keyframe interval',
      key === null
        ? 'unknown: fewer than two keyframes arrived; try a longer --seconds N'
        : `${key.mean} ms (${key.least} to ${key.most})`,
    ],
    ['first picture', report.firstPictureMs === null ? 'none' : `after ${report.firstPictureMs} ms`],
    ['clock offset', clockText(report)],
    ['sampling', `${report.sampling}: ${report.samplingReason}`],
    ['cost', costText(report)],
  ];
  if (report.transport !== null) rows.push(['transport', report.transport]);
  if (report.decoding !== null) rows.push(['decoding', report.decoding]);
  if (report.saved !== null) rows.push(['saved', report.saved]);
  if (fault !== null) rows.push(['fault', `${fault.code}: ${fault.message}`]);
  const cells = rows.map(([key, value]) => [`  ${key}`, value]);
  return [...wrap(report.feed, '', lineWidth), ...table(cells, lineWidth)].join('\n');
}

function clockText({ clockOffsetMs: ms }: ProbeReport): string {
  if (ms === null) return 'unknown: the camera sent no time during the probe';
  return `${Math.abs(ms)} ms ${ms < 0 ? 'behind' : 'ahead'}: the camera's clock, compared with the arrival of its pictures`;
}

function costText({ processorSecondsPerMinute, measuredForMs }: ProbeReport): string {
  if (processorSecondsPerMinute === null) return 'unknown: not enough data to measure it';
  const seconds = ((measuredForMs ?? 0) / 1000).toFixed(1);
  return `${processorSecondsPerMinute} processor seconds per minute in ffmpeg, measured on this machine for ${seconds} s`;
}

function spread(values: readonly number[]): ProbeReport['keyframeIntervalMs'] {
  if (values.length === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mean: Math.round(mean),
    least: Math.round(Math.min(...values)),
    most: Math.round(Math.max(...values)),
  };
}
