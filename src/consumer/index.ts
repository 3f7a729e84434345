/** The public exports for consumers of Vigil's frames: the SDK, the decoder, and the contract's names. */
export { consumeFrames } from './consumer';
export type { FrameConsumer } from './consumer';
export type { ConsumerCounters } from './counters';
export type { OtherEvent } from './announcement';
export type { ConsumerOptions } from './options';
export type { SettledFrame } from './settled';
export type { TraceContext } from './trace-context';
export type { ConsumedFrame, FrameHandler, Removal } from './attempt';
export { ConsumerError, UndecodableError } from './fault';
export type { ConsumerFault, FaultCode } from './fault';
export { decodeFrame } from './decode';
export type { DecodedFrame, DecodeOptions } from './decode';
export { frameFileStem, writeFrame } from './write-frame';
export * from '../contract';
