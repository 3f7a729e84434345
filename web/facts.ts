/** The facts about a camera, as pairs of name and text. Pure. */
import type { ApiCamera, CameraCondition } from '../src/actors/web/view/api';
import { countText, duration, moment, rateText } from './times.js';

export interface Fact {
  readonly name: string;
  readonly text: string;
  /** The meaning, if the text alone does not show it. */
  readonly note?: string;
}

export function cameraFacts(camera: ApiCamera, now: number): Fact[] {
  return [
    ...deliveryFacts(camera, now),
    ...feedFacts(camera),
    { name: 'Restarts', text: countText(camera.restarts), note: 'of its process since Vigil started' },
  ];
}

function deliveryFacts(
  { condition, rate, wantedRate, confirmedAt, picture }: ApiCamera,
  now: number,
): Fact[] {
  return [
    {
      name: 'Rate',
      text: `${rateText(rate)} of ${rateText(wantedRate)}`,
      note: 'delivered in the last minute',
    },
    ...lastDelivery(condition, confirmedAt, now),
    ...(picture === undefined || picture.width === 0
      ? []
      : [{ name: 'Picture', text: `${picture.width} × ${picture.height}`, note: picture.format }]),
  ];
}

/** For a delivering camera it is now: the age of its picture shows it, and events do not report each confirm. */
function lastDelivery(condition: CameraCondition, confirmedAt: number | undefined, now: number): Fact[] {
  if (condition === 'delivering') return [];
  const name = 'Last delivery';
  if (confirmedAt === undefined) return [{ name, text: 'none since Vigil started' }];
  return [{ name, text: `${duration(now - confirmedAt)} ago`, note: moment(confirmedAt, now) }];
}

function feedFacts({ codec, sampling, keyframeSeconds, clockSkewMs }: ApiCamera): Fact[] {
  return [
    ...(codec === undefined ? [] : [{ name: 'Codec', text: codec }]),
    ...(sampling === undefined || sampling === 'unknown'
      ? []
      : [{ name: 'Sampling', text: sampling.replaceAll('-', ' ') }]),
    ...(keyframeSeconds === undefined
      ? []
      : [{ name: 'Keyframe interval', text: `${Number(keyframeSeconds.toFixed(2))} s` }]),
    ...(clockSkewMs === undefined ? [] : [{ name: 'Camera clock', text: skewText(clockSkewMs) }]),
  ];
}

/** @param skewMs positive where the camera's clock is ahead */
export function skewText(skewMs: number): string {
  const off = Math.abs(Math.round(skewMs));
  if (off < 1) return 'right';
  return `${off < 10_000 ? `${countText(off)} ms` : duration(off)} ${skewMs > 0 ? 'ahead' : 'behind'}`;
}
