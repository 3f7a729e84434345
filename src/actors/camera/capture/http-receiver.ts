/**
 * Receives MJPEG over HTTP without ffmpeg. The response decides: the HLS receiver requests the URL again after this connection is
 * closed; any other video is passed to an ffmpeg, which opens no connection itself.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { CameraSource } from '../../../config/topology';
import { Fault, type FaultRecord } from '../../../fault/fault';
import { feedName } from '../../../config/feed-name';
import { readJpeg } from '../bitstream/jpeg';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import type { Receiver, ReceiverEvents } from '../feed/receiver';
import { answerKind, ENOUGH_FIRST_BYTES, firstBoundary, type AnswerKind } from '../http/answer-kind';
import type { Answer, HttpClient } from '../http/client';
import { readContentType } from '../http/content-type';
import { errorFault, lateFault, ofFeed, type Phase } from '../http/http-fault';
import { PictureCutter } from '../http/multipart';
import { answerFault } from '../stills/answer-fault';

/** The owner of the feed enforces the camera's own deadlines; this only ends forgotten connections. */
const SLACK_MS = 5000;

export interface HttpReceiverOptions {
  readonly camera: { readonly connectMs: number };
  readonly source: Extract<CameraSource, { kind: 'stream' }>;
}

export class HttpReceiver implements Receiver {
  readonly ended: Promise<void>;
  readonly #ending = new AbortController();
  #client: HttpClient | undefined;
  #other: Receiver | undefined;
  #hasAnswer = false;
  #kind: AnswerKind | undefined;
  #cutter: PictureCutter | undefined;
  #header: StreamHeader | undefined;
  /** The first picture; if no other follows, the response was not a stream. */
  #first: { readonly bytes: Buffer; readonly at: number } | undefined;
  #fault: Fault | undefined;

  /**
   * @param elsewhere opens another receiver, for the body of the response or, without one, for a playlist's
   * URL
   */
  constructor(
    private readonly options: HttpReceiverOptions,
    private readonly events: ReceiverEvents,
    private readonly elsewhere: (body?: Readable) => Receiver,
  ) {
    this.ended = this.#run();
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#other?.end();
    await this.ended;
  }

  endFault(hadPackets: boolean): Fault {
    if (this.#other !== undefined) return this.#other.endFault(hadPackets);
    const { source } = this.options;
    if (this.#fault !== undefined) return ofFeed(source, this.#fault);
    if (hadPackets) return new Fault('ended', `${feedName(source)} ended`);
    return ofFeed(
      source,
      new Fault('closed', 'ended its answer before a picture was complete; check the path of the URL'),
    );
  }

  silence(hadPackets: boolean): FaultRecord | undefined {
    if (this.#other !== undefined) return this.#other.silence?.(hadPackets);
    if (hadPackets) return undefined;
    return ofFeed(this.options.source, lateFault(this.#phase(), this.options.camera.connectMs));
  }

  #phase(): Phase {
    if (!this.#hasAnswer) return this.#client?.phase ?? 'connecting';
    return this.#cutter?.isInPicture === true ? 'picture' : 'answered';
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    try {
      await this.#read(signal);
    } catch (error) {
      if (!signal.aborted) this.#fault = errorFault(error);
    } finally {
      this.#client?.close();
    }
    if (this.#kind === 'playlist' && !signal.aborted) this.#other = this.elsewhere();
    await this.#other?.ended;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { source, camera } = this.options;
    // Loaded only if something is read over HTTP.
    const { HttpClient } = await import('../http/client');
    signal.throwIfAborted();
    this.#client = new HttpClient(source.url, { ...source, onBasic: this.events.onBasic });
    const openMs = camera.connectMs + SLACK_MS;
    const answer = await this.#client.get({}, { openMs, reuseMs: openMs }, signal);
    this.#hasAnswer = true;
    const fault = answerFault(answer);
    if (fault !== undefined) {
      answer.message.destroy();
      throw fault;
    }
    await this.#receive(answer);
    if (this.#first !== undefined) throw stillPicture();
  }

  /** Reads the response to its end, or until another receiver continues with it. */
  async #receive({ message }: Answer): Promise<void> {
    const { type, boundary } = readContentType(message.headers['content-type']);
    let begun = Buffer.alloc(0);
    const take = (chunk: Buffer) => {
      const at = Date.now();
      if (this.#kind !== undefined) {
        this.#cut(chunk, at);
        return;
      }
      begun = Buffer.concat([begun, chunk]);
      if (begun.length < ENOUGH_FIRST_BYTES) return;
      const kind = this.#begin(type, boundary, begun, at);
      if (kind === 'playlist') message.destroy();
      if (kind !== 'other') return;
      message.off('data', listener);
      this.#handOn(begun, message);
    };
    const listener = (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        this.#fault = errorFault(error);
        message.destroy();
      }
    };
    message.on('data', listener);
    const broken = await finished(message).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (this.#kind === undefined && begun.length > 0)
      if (this.#begin(type, boundary, begun, Date.now()) === 'other') this.#handOn(begun, message);
    if (this.#cutter === undefined || this.#fault !== undefined) return;
    for (const picture of this.#cutter.end()) this.#give(picture, Date.now());
    if (broken !== undefined && this.#header === undefined) throw errorFault(broken);
  }

  /** ffmpeg gets the body from this process, because on its own it follows redirects to anywhere. */
  #handOn(begun: Buffer, message: IncomingMessage): void {
    const body = new PassThrough();
    body.write(begun);
    if (message.closed) body.end();
    else message.once('close', () => body.end()).pipe(body);
    this.#other = this.elsewhere(body);
    void this.#other.ended.then(() => message.destroy());
  }

  #begin(type: string, boundary: string | undefined, begun: Buffer, at: number): AnswerKind {
    const kind = (this.#kind = answerKind(type, begun));
    if (kind === 'page') throw noVideo(type);
    if (kind === 'other' || kind === 'playlist') return kind;
    this.#cutter = new PictureCutter(kind === 'parts' ? (boundary ?? firstBoundary(begun)) : undefined);
    this.#cut(begun, at);
    return kind;
  }

  #cut(chunk: Buffer, at: number): void {
    for (const picture of this.#cutter?.push(chunk) ?? []) this.#give(picture, at);
  }

  /** @param at arrival of its last byte, milliseconds since the epoch */
  #give(bytes: Buffer, at: number): void {
    if (this.#kind === 'picture' && this.#header === undefined && this.#first === undefined) {
      this.#first = { bytes, at };
      return;
    }
    const held = this.#first;
    this.#first = undefined;
    for (const picture of [...(held === undefined ? [] : [held]), { bytes, at }]) {
      this.#header ??= headerOf(picture.bytes);
      this.events.onPacket(asPacket(picture.bytes, picture.at), this.#header);
    }
  }
}

/** The header with the size of the first picture; each JPEG states its own. */
function headerOf(bytes: Buffer): StreamHeader {
  const { width = 0, height = 0 } = readJpeg(bytes) ?? {};
  return { codec: 'mjpeg', width, height, unitMs: 1 };
}

function asPacket(bytes: Buffer, at: number): Packet {
  return {
    ...{ pts: at, key: true, corrupt: false, bytes },
    // Computed only for pictures that are taken: some cameras send fifty a second.
    get checksum() {
      return createHash('md5').update(bytes).digest('hex');
    },
  };
}

function stillPicture(): Fault {
  return new Fault(
    'still-picture',
    'answers with one still picture, not with a stream; write "still" in the place of "url" for this camera',
  );
}

function noVideo(type: string): Fault {
  return new Fault(
    'not-a-stream',
    `answers with ${type.replace(/[^\w/+.-]/g, '') || 'text'}, not with video; check that the URL is that of a stream, and what the camera says there in a browser`,
  );
}
