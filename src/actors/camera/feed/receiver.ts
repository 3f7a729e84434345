/** What receives a feed's packets: one ffmpeg, or a reader of our own. What is decoded of them is decided elsewhere. */
import type { Fault, FaultRecord } from '../../../fault/fault';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import type { RtspAnswer } from '../rtsp/answer';

/** What a receiver reports. Nothing is reported once {@link Receiver.end} was called. */
export interface ReceiverEvents {
  /** @param agoMs how long ago it was due, where packets are given when they are due */
  readonly onPacket: (packet: Packet, header: StreamHeader, agoMs?: number) => void;
  /** The next packet does not continue what came before it, and may be of another size or codec. */
  readonly onBreak: (header: StreamHeader) => void;
  /** Nothing more can come, for a reason the receiver knows; {@link Receiver.ended} may settle later. */
  readonly onFault: (error: Error) => void;
  /** The same; the error's message names the feed already, or has no need to. */
  readonly onGivenUp: (error: Error) => void;
  /** What an RTSP camera answered before it was opened. */
  readonly onAnswer: (answer: RtspAnswer) => void;
  /** A password is sent readably, to a host that was not verified. */
  readonly onBasic?: (() => void) | undefined;
  /** What ffmpeg writes on standard error; it may hold the feed's URL with its password. */
  readonly onWords: (text: string) => void;
  /** More of what ffmpeg writes of the sender's clock: see sender-clock.ts. */
  readonly onSenderReports: (chunk: Buffer) => void;
}

/** One opening of a feed. It begins with its construction. */
export interface Receiver {
  /** Of the process that reads the feed's connection; undefined where it is this one. */
  readonly pid?: number | undefined;
  /** Settles when the feed has ended, or was ended, and nothing of it is left. */
  readonly ended: Promise<void>;
  /** Leaves the feed politely; settles when nothing of it is left. */
  end(): Promise<void>;
  /** Why it ended although {@link Receiver.end} was not called. @param hadPackets whether any came */
  endFault(hadPackets: boolean): Fault;
  /** Why no packet came for this time, where the receiver knows it better than that none came. */
  silence?(hadPackets: boolean): FaultRecord | undefined;
}
