/** What a consumer of Vigil's frames imports: the SDK, the decoder, and the contract's names. */
export { consumeFrames } from './consumer';
export type { ConsumerCounters, ConsumerOptions, FrameConsumer } from './consumer';
export type { ConsumedFrame, FrameHandler, Removal } from './attempt';
export { ConsumerError, UndecodableError } from './fault';
export type { ConsumerFault, FaultCode } from './fault';
export { decodeFrame } from './decode';
export type { DecodedFrame, DecodeOptions } from './decode';
export { frameFileStem, writeFrame } from './write-frame';
export { CAMERA_ID_PATTERN, FRAME_FORMATS, frameExtension, frameId } from '../contract/frame';
export type { Frame, FrameFormat } from '../contract/frame';
export { frameKey, latestKey, parseFrameKey } from '../contract/key';
export type { FrameKey } from '../contract/key';
export { CLOUDEVENTS_JSON } from '../contract/events';
export { CameraStateChanged, FrameSampled, FramesMissed } from '../contract/message';
export type { CameraState, Gap, VigilEvent } from '../contract/message';
export { deadLetterName, defaultQueue, frameExchange, routingKey } from '../contract/topology';
export type { EventKind } from '../contract/topology';
