/** Receives a feed's packets, with ffmpeg or our own code. Which of them are decoded is decided elsewhere. */
import type { Fault, FaultRecord } from '../../../fault/fault';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import type { RtspAnswer } from '../rtsp/answer';

/** Events of a receiver. Nothing is reported after {@link Receiver.end} has been called. */
export interface ReceiverEvents {
  /** @param agoMs how long ago the packet was due, for receivers that release packets when they are due */
  readonly onPacket: (packet: Packet, header: StreamHeader, agoMs?: number) => void;
  /** The next packet does not continue the previous one, and may have another size or codec. */
  readonly onBreak: (header: StreamHeader) => void;
  /** No more packets can arrive, for a reason the receiver knows; {@link Receiver.ended} may settle later. */
  readonly onFault: (error: Error) => void;
  /** The same as onFault, for an error whose message already names the feed, or need not. */
  readonly onGivenUp: (error: Error) => void;
  /** An RTSP camera's answer before it was opened. */
  readonly onAnswer: (answer: RtspAnswer) => void;
  /** The password is sent in readable form to a host that was not verified. */
  readonly onBasic?: (() => void) | undefined;
  /** Standard error of ffmpeg; it may contain the feed's URL with its password. */
  readonly onStderr: (text: string) => void;
  /** More of ffmpeg's output about the sender's clock: see sender-clock.ts. */
  readonly onSenderReports: (chunk: Buffer) => void;
}

/** One opening of a feed, which begins when the receiver is constructed. */
export interface Receiver {
  /** Pid of the process that reads the feed's connection; undefined if it is this one. */
  readonly pid?: number | undefined;
  /** Settles when the feed has ended or was closed, and all its resources are released. */
  readonly ended: Promise<void>;
  /** Closes the feed properly; settles when all its resources are released. */
  end(): Promise<void>;
  /**
   * Why the feed ended although {@link Receiver.end} was not called.
   * @param hadPackets whether any arrived
   */
  endFault(hadPackets: boolean): Fault;
  /** Why no packet has arrived, if the receiver knows a reason. */
  silence?(hadPackets: boolean): FaultRecord | undefined;
}
