/** The Redis keys consumers rely on: a frame's key contains its metadata, its value is only the picture. */
import { FRAME_FORMATS, type Frame, type FrameFormat } from './frame';

/** Metadata that {@link parseFrameKey} reads back from a key. */
export type FrameKey = { readonly namespace: string } & Pick<
  Frame,
  'camera' | 'capturedAt' | 'width' | 'height' | 'format'
>;

const FRAME_KEY = new RegExp(
  `^([A-Za-z0-9_-]{1,64}):frame:([A-Za-z0-9_-]{1,64}):(0|[1-9]\\d{0,14}):([1-9]\\d{0,4})x([1-9]\\d{0,4}):(${FRAME_FORMATS.join('|')})$`,
);

/**
 * `<namespace>:frame:<camera>:<captured ms since epoch>:<width>x<height>:<format>`. One key per frame and no hash
 * tag, so that Redis Cluster spreads frames evenly.
 */
export function frameKey(namespace: string, frame: Omit<FrameKey, 'namespace'>): string {
  const { camera, capturedAt, width, height, format } = frame;
  return `${namespace}:frame:${camera}:${capturedAt}:${width}x${height}:${format}`;
}

/** The metadata of a frame key, or undefined when the text is not one. */
export function parseFrameKey(key: string): FrameKey | undefined {
  const match = FRAME_KEY.exec(key);
  if (match === null) return undefined;
  const [namespace, camera, capturedAt, width, height, format] = match.slice(1) as [
    ...[string, string, string, string, string],
    FrameFormat,
  ];
  return {
    namespace,
    camera,
    capturedAt: Number(capturedAt),
    width: Number(width),
    height: Number(height),
    format,
  };
}

/**
 * Set of the queues whose services have finished with a frame that several must have. Its hash tag is the
 * frame's key, which has no braces: both are in one slot of a Redis Cluster.
 */
export function doneKey(key: string): string {
  return `{${key}}:done`;
}

/** Key that holds the newest frame key of a camera, for consumers that only need the present picture. */
export function latestKey(namespace: string, camera: string): string {
  return `${namespace}:latest:${camera}`;
}
