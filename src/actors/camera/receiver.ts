/** What receives a feed's packets: one ffmpeg, or a reader of our own. What is decoded of them is decided elsewhere. */
import type { Fault, FaultRecord } from '../../protocol/fault';
import type { Packet, StreamHeader } from './packet-splitter';

/** What a receiver has to tell. Nothing is told any more once {@link Receiver.end} was called. */
export interface ReceiverEvents {
  readonly onPacket: (packet: Packet, header: StreamHeader) => void;
  /** The packet told next does not continue what came before it, and may be of another size or codec. */
  readonly onBreak: (packet: Packet, header: StreamHeader) => void;
  /** Nothing more can come, for a reason the receiver knows; {@link Receiver.ended} may settle later. */
  readonly onFault: (error: Error) => void;
  /** What ffmpeg writes on standard error; it may hold the feed's URL with its password. */
  readonly onWords: (text: string) => void;
  /** What became known of the sender's clock, milliseconds after the arrival. */
  readonly onSenderClock: (skewsMs: readonly number[]) => void;
}

/** One opening of a feed. It begins with its construction. */
export interface Receiver {
  /** Settles when the feed has ended by itself, or was ended, and nothing of it is left. */
  readonly ended: Promise<void>;
  /** Leaves the feed politely; settles when nothing of it is left. */
  end(): Promise<void>;
  /** Why it ended by itself. @param elapsedMs since it began @param hadPackets whether any came */
  endFault(elapsedMs: number, hadPackets: boolean): Fault;
  /** Why no packet came for this time, where the receiver knows it better than that none came. */
  silence?(elapsedMs: number, hadPackets: boolean): FaultRecord | undefined;
}
