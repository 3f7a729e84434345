/** What `probe` found, for people. Pure. */
import type { ProbeReport } from '../protocol/probe';
import { PLAIN, type Style } from './style';
import { table, wrap } from './table';

/** A line for each property that was found. */
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
