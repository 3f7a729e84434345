/** The measurements of a probe, as a report. Pure. */
import type { ProbeReport } from '../../../protocol/probe';
import type { FeedMeasurement } from './probe';

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

function spread(values: readonly number[]): ProbeReport['keyframeIntervalMs'] {
  if (values.length === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mean: Math.round(mean),
    least: Math.round(Math.min(...values)),
    most: Math.round(Math.max(...values)),
  };
}
