/** `vigil/contract`: keys, names and messages that consumers rely on, without the kit that consumes them. */
export { CAMERA_ID_PATTERN, FRAME_FORMATS, frameExtension, frameId } from './frame';
export type { Frame, FrameFormat } from './frame';
export { doneKey, frameKey, latestKey, parseFrameKey } from './key';
export type { FrameKey } from './key';
export { SHARE_SCRIPT, shareOf } from './sharing';
export type { Share } from './sharing';
export { CLOUDEVENTS_JSON } from './events';
export { CameraStateChanged, FrameSampled, FramesMissed } from './message';
export type { CameraState, Gap, VigilEvent } from './message';
export {
  deadLetterName,
  defaultQueue,
  frameExchange,
  routingKey,
  serviceExchange,
  serviceQueue,
} from './broker-names';
export type { EventKind } from './broker-names';
export { VERDICT_REASONS, VERDICTS } from './verdict';
export type { Verdict, VerdictReason } from './verdict';
