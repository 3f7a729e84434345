/** Receives a feed's packets: one ffmpeg, or a reader of our own. What is decoded of them is decided elsewhere. */
import type { Fault, FaultRecord } from '../../../fault/fault';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import type { RtspAnswer } from '../rtsp/answer';

/** Events of a receiver. Nothing is reported once {@link Receiver.end} was called. */
export interface ReceiverEvents {
  /** @param agoMs how long ago it was due, where packets are given when they are due */
  readonly onPacket: (packet: Packet, header: StreamHeader, agoMs?: number) => void;
  /** The next packet does not continue what came before it, and may be of another size or codec. */
  readonly onBreak: (header: StreamHeader) => void;
  /** Nothing more can come, for a reason the receiver knows; {@link Receiver.ended} may settle later. */
  readonly onFault: (error: Error) => void;
  /** The same; the error's message already names the feed, or need not. */
  readonly onGivenUp: (error: Error) => void;
  /** An RTSP camera's answer before it was opened. */
  readonly onAnswer: (answer: RtspAnswer) => void;
  /** The password is sent in readable form to a host that was not verified. */
  readonly onBasic?: (() => void) | undefined;
  /** Standard error of ffmpeg; it may contain the feed's URL with its password. */
  readonly onStderr: (text: string) => void;
  /** More of what ffmpeg writes of the sender's clock: see sender-clock.ts. */
  readonly onSenderReports: (chunk: Buffer) => void;
}

/** One opening of a feed. It begins with its construction. */
export interface Receiver {
  /** Pid of the process that reads the feed's connection; undefined if it is this one. */
  readonly pid?: number | undefined;
  /** Settles when the feed has ended, or was ended, and nothing of it is left. */
  readonly ended: Promise<void>;
  /** Closes the feed properly; settles when nothing of it is left. */
  end(): Promise<void>;
  /** Why it ended although {@link Receiver.end} was not called. @param hadPackets whether any came */
  endFault(hadPackets: boolean): Fault;
  /** Why no packet came for this time, if the receiver knows more than that. */
  silence?(hadPackets: boolean): FaultRecord | undefined;
}
