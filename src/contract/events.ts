/** Makes the events that message.ts describes; apart from it, because the notifier needs no schemas to publish. */
import { frameId, type Frame } from './frame';
import { frameKey } from './key';
import type { CameraState, CameraStateChanged, FrameSampled, FramesMissed, Gap, Recipients } from './message';

/** Content type of every message body. */
export const CLOUDEVENTS_JSON = 'application/cloudevents+json';

function envelope(namespace: string, camera: string, time: number) {
  return {
    specversion: '1.0' as const,
    source: `/vigil/${namespace}/camera/${camera}`,
    subject: camera,
    partitionkey: camera,
    time: new Date(time).toISOString(),
    datacontenttype: 'application/json' as const,
  };
}

/** How the message of a frame is sent. */
export interface Sending {
  /** Present if several queues receive it. */
  readonly recipients?: Recipients | undefined;
  /** When its message expires, milliseconds since the epoch. */
  readonly expiresAtMs?: number;
  /** Name of the node in a fleet. */
  readonly node?: string | undefined;
}

/** The announcement of a stored frame, at `nowMs` since the epoch. @param tags of its camera */
export function frameSampled(
  namespace: string,
  frame: Frame,
  delayed: boolean,
  nowMs: number,
  tags: readonly string[] = [],
  { recipients, expiresAtMs, node }: Sending = {},
): FrameSampled {
  const { camera, capturedAt, width, height, format, bytes, sequence, verdict, clock, clockSkewMs } = frame;
  const { clockUnset, linkDelayMs, sourceWidth, sourceHeight, rotation } = frame;
  const key = frameKey(namespace, frame);
  return {
    ...envelope(namespace, camera, capturedAt),
    type: 'vigil.frame.sampled.v1',
    id: frameId(frame),
    dataref: `redis:${key}`,
    ...(expiresAtMs === undefined ? {} : { expirytime: new Date(expiresAtMs).toISOString() }),
    data: {
      key,
      camera,
      ...(tags.length === 0 ? {} : { tags: [...tags] }),
      capturedAt,
      width,
      height,
      ...(sourceWidth === undefined ? {} : { sourceWidth }),
      ...(sourceHeight === undefined ? {} : { sourceHeight }),
      ...(rotation === undefined ? {} : { rotation }),
      format,
      bytes,
      sequence,
      delayed,
      ageMs: Math.max(0, nowMs - capturedAt),
      ...from(node),
      ...(recipients === undefined ? {} : { recipients }),
      ...(verdict === undefined ? {} : { verdict }),
      ...(clock === undefined ? {} : { clock }),
      ...(clockSkewMs === undefined ? {} : { clockSkewMs }),
      ...(clockUnset === undefined ? {} : { clockUnset }),
      ...(linkDelayMs === undefined ? {} : { linkDelayMs }),
    },
  };
}

/** A camera entered a state. */
export function cameraStateChanged(namespace: string, state: CameraState, node?: string): CameraStateChanged {
  return {
    ...envelope(namespace, state.camera, state.sinceMs),
    type: 'vigil.camera.state.v1',
    id: `${state.camera}-${state.state}-${state.sinceMs}`,
    data: { ...state, ...from(node) },
  };
}

/** Sampling periods of a camera passed without a frame; `atMs` is when it was noticed. */
export function framesMissed(namespace: string, gap: Gap, atMs: number, node?: string): FramesMissed {
  return {
    ...envelope(namespace, gap.camera, atMs),
    type: 'vigil.camera.gap.v1',
    id: `${gap.camera}-gap-${gap.firstSequence}`,
    data: { ...gap, ...from(node) },
  };
}

function from(node: string | undefined): { node?: string } {
  return node === undefined ? {} : { node };
}
