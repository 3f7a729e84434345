/** How a camera is sampled and why, as text for operators. */
import type { CameraSpec } from '../../../config/topology';

/** Facts of the camera's state; a type rather than an interface, so that it is assignable to a record. */
export type SamplingChoice = {
  readonly sampling: 'keyframes' | 'between-keyframes' | 'all' | 'pass-through' | 'unknown';
  readonly samplingReason: string;
  readonly codec?: string;
  readonly keyframeIntervalMs?: number;
};

/** A period may be this much shorter than the keyframe interval and still be served by keyframes. */
const SERVES = 1.06;

/** @param keyIntervalMs as measured; undefined until it is */
export function samplingChoice(
  { periodMs, sampling, format }: Pick<CameraSpec, 'periodMs' | 'sampling' | 'format'>,
  stream: { readonly codec: string; readonly decoded: boolean; readonly still?: true } | undefined,
  keyIntervalMs: number | undefined,
): SamplingChoice {
  if (stream === undefined) return { sampling: 'unknown', samplingReason: 'nothing was received yet' };
  const facts = {
    codec: stream.codec,
    ...(keyIntervalMs === undefined ? {} : { keyframeIntervalMs: Math.round(keyIntervalMs) }),
  };
  const choose = (chosen: SamplingChoice['sampling'], samplingReason: string): SamplingChoice => ({
    sampling: chosen,
    samplingReason,
    ...facts,
  });
  if (stream.still === true)
    return stream.decoded
      ? choose('all', 'a still picture is asked for each time, and converted')
      : choose('pass-through', 'a still picture is asked for each time');
  if (format === 'keyframe') return choose('pass-through', 'keyframes are stored as they come');
  if (!stream.decoded) return choose('pass-through', `the feed sends ${stream.codec} pictures already`);
  if (sampling !== 'auto') return choose(sampling, 'the configuration says so');
  if (keyIntervalMs === undefined)
    return choose('between-keyframes', 'the keyframe interval is not known yet');
  const often = `a keyframe comes every ${Math.round(keyIntervalMs)} ms`;
  return keyIntervalMs <= SERVES * periodMs
    ? choose('keyframes', `${often}, a picture is wanted every ${Math.round(periodMs)} ms`)
    : choose('between-keyframes', `${often} only: what leads up to the pictures between is decoded too`);
}
