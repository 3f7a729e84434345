/** An RTSP camera's answer to DESCRIBE. */
import type { FaultRecord } from '../../../fault/fault';
import type { RtspAddress } from './address';
import type { Described } from './sdp';

export type RtspAnswer =
  /** No connection, or a closed one: ffmpeg has the messages for that. */
  | { readonly kind: 'unreached' }
  /** No connection within the patience. */
  | { readonly kind: 'unconnected' }
  /** A connection, but no answer within the patience. */
  | { readonly kind: 'unanswered' }
  | {
      readonly kind: 'described';
      /** After all redirections. */
      readonly address: RtspAddress;
      /** Milliseconds from the start of the query. */
      readonly afterMs: number;
      readonly described: Described;
    }
  /** The camera requires an authentication scheme ffmpeg does not support. */
  | { readonly kind: 'guarded'; readonly address: RtspAddress; readonly offered: string }
  /** ffmpeg need not try. The message lacks its subject. */
  | { readonly kind: 'refused'; readonly fault: FaultRecord }
  /** Another answer, which ffmpeg will get too. */
  | { readonly kind: 'other'; readonly address: RtspAddress; readonly status: number };
