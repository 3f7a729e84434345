/** `vigil/contract`: keys, names and messages that consumers rely on, without the kit that consumes them. */
export { CAMERA_ID_PATTERN, FRAME_FORMATS, frameExtension, frameId } from './frame';
export type { Frame, FrameFormat } from './frame';
export { frameKey, latestKey, parseFrameKey } from './key';
export type { FrameKey } from './key';
export { CLOUDEVENTS_JSON } from './events';
export { CameraStateChanged, FrameSampled, FramesMissed } from './message';
export type { CameraState, Gap, VigilEvent } from './message';
export { deadLetterName, defaultQueue, frameExchange, routingKey } from './topology';
export type { EventKind } from './topology';
export { VERDICT_REASONS, VERDICTS } from './verdict';
export type { Verdict, VerdictReason } from './verdict';
