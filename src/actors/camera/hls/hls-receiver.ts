/** Reads an HLS playlist as long as it goes on: each packet comes when it is due. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../../clock/sleep';
import { redactText } from '../../../config/url';
import { Fault, type FaultRecord } from '../../../protocol/fault';
import { crashFault, feedName, openFault } from '../feed-fault';
import type { Packet, StreamHeader } from '../packet-splitter';
import { FetchError } from './fetch-error';
import { asFault, loadMedia, type LoadedPlaylist, type OpenedPlaylist } from './open-playlist';
import { PacedQueue } from './paced-queue';
import { Pacer } from './pacer';
import { MAX_PLAYLIST_BYTES, type Segment } from './playlist';
import { nextSegments, positionOf, type Position } from './position';
import { SegmentLoader, type LoadedSegment } from './segment-loader';
import { SegmentRun, type RunOptions } from './segment-run';
import { firstTime } from './segment-time';

/** What waits to be due at most, beyond the segment that made it more. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Of a recording, media that is read ahead. */
const READ_AHEAD_MS = 2000;
/** Between two requests for a playlist. */
const LEAST_PAUSE_MS = 250;
const LONGEST_RETRY_MS = 2000;
/** A playlist is not waited for longer than two of its segments, or so long. */
const LEAST_PLAYLIST_SILENCE_MS = 2000;
/** Runs without a packet until the feed is given up, where none ever came. */
const MAX_BARREN_RUNS = 2;
/** ffmpeg found a track of video, and no size: there was no keyframe in what it saw. */
const NO_KEYFRAME = /dimensions not set|unspecified size/;

export interface HlsOptions extends Omit<RunOptions, 'onPacket' | 'onFault'> {
  /** @param at when it was due, milliseconds since the epoch. @param begins it does not continue what came before */
  readonly onPacket: (packet: Packet, header: StreamHeader, at: number, begins: boolean) => void;
}

export class HlsReceiver {
  /** Settles when nothing more can come. */
  readonly exited: Promise<void>;
  readonly #ending = new AbortController();
  readonly #pacer: Pacer;
  readonly #queue: PacedQueue;
  readonly #loader: SegmentLoader;
  #run: SegmentRun | undefined;
  #begins = true;
  /** Media between the packets given and those that come next. */
  #missingMs = 0;
  #mapUrl: string | undefined;
  #lastTime: number | undefined;
  #everReceived = false;
  #barrenRuns = 0;
  #failure: Error | undefined;
  #trouble: FaultRecord | undefined;

  constructor(
    private readonly opened: OpenedPlaylist,
    private readonly options: HlsOptions,
  ) {
    const { playlist } = opened.loaded;
    this.#pacer = new Pacer(playlist.targetMs);
    this.#loader = new SegmentLoader(opened.client, options.camera.stallMs);
    this.#queue = new PacedQueue(({ packet, header, begins }, agoMs) => {
      options.onPacket(packet, header, Math.floor(Date.now() - agoMs), begins);
    });
    this.exited = this.#read(this.#ending.signal)
      .catch((error: unknown) => {
        if (!this.#ending.signal.aborted) this.#failure ??= asFault(error, options.camera);
      })
      .finally(() => this.#close());
  }

  /** Why nothing came lately, or why it ended, as far as that is known. */
  get fault(): Error | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#trouble === undefined ? undefined : new Fault(this.#trouble.code, this.#trouble.message);
  }

  async end(): Promise<void> {
    this.#ending.abort();
    this.#queue.close();
    await this.#run?.abandon();
    await this.exited;
  }

  async #read(signal: AbortSignal): Promise<void> {
    let position: Position | undefined;
    for (let loaded = this.opened.loaded; ;) {
      const { playlist } = loaded;
      const { segments, jumped } = nextSegments(playlist, position, this.#pacer.inHandMs(performance.now()));
      if (jumped) await this.#finishRun();
      const isFirst = position === undefined;
      let got = 0;
      for (const segment of segments) {
        await this.#room(playlist.recording);
        if (signal.aborted) return;
        position = positionOf(segment);
        // What was listed already when it was first read says nothing of when the next will be.
        if (await this.#segment(segment, !isFirst && !playlist.recording, signal)) got++;
      }
      if (playlist.ended) {
        await this.#finishRun();
        if (playlist.recording && got > 0) {
          position = undefined;
          continue;
        }
        await this.#queue.until(() => this.#queue.isEmpty);
        throw got === 0 && this.#trouble !== undefined
          ? new Fault(this.#trouble.code, this.#trouble.message)
          : new Fault(
              'ended',
              `${feedName(this.options.camera.source)} has ended: its playlist is closed (EXT-X-ENDLIST)`,
            );
      }
      loaded = await this.#reload(loaded, segments.length > 0, signal);
      if (signal.aborted) return;
    }
  }

  /** Reads it again, when there may be more; in spite of failures, until it is given up. */
  async #reload(before: LoadedPlaylist, hadNew: boolean, signal: AbortSignal): Promise<LoadedPlaylist> {
    const { targetMs, segments } = before.playlist;
    const lastMs = segments.at(-1)?.durationMs ?? targetMs;
    // RFC 8216, 6.3.4.
    let pauseMs = hadNew ? Math.min(targetMs, lastMs || targetMs) : targetMs / 2;
    let askedMs = before.askedMs;
    let { url } = before;
    const limits = {
      maxBytes: MAX_PLAYLIST_BYTES,
      silenceMs: Math.min(this.options.camera.stallMs, Math.max(2 * targetMs, LEAST_PLAYLIST_SILENCE_MS)),
      signal,
    };
    for (;;) {
      await sleep(Math.max(LEAST_PAUSE_MS, askedMs + pauseMs - performance.now()), signal);
      if (signal.aborted) return before;
      askedMs = performance.now();
      try {
        const loaded = await loadMedia(this.opened.client, url, limits);
        if (!hadNew && loaded.playlist.segments.at(-1)?.sequence === segments.at(-1)?.sequence)
          this.#trouble ??= this.#told(
            'stalled',
            'lists no new segment in its playlist; look at what makes it: the camera, or its encoder',
          );
        return loaded;
      } catch (error) {
        if (signal.aborted) return before;
        const { code, message } = asRecord(asFault(error, this.options.camera));
        this.#trouble = { code, message };
        // Where a redirect led to may have gone.
        url = this.opened.url;
        pauseMs = Math.min(LONGEST_RETRY_MS, targetMs / 2);
      }
    }
  }

  /** Waits until more may be read. */
  async #room(isRecording: boolean): Promise<void> {
    await this.#queue.until(
      () =>
        this.#queue.bytes <= MAX_WAITING_BYTES &&
        (!isRecording || this.#queue.isEmpty || this.#pacer.inHandMs(performance.now()) <= READ_AHEAD_MS),
    );
  }

  /** True when it was read. */
  async #segment(segment: Segment, isFresh: boolean, signal: AbortSignal): Promise<boolean> {
    let loaded: LoadedSegment;
    try {
      if (segment.gap) throw new FetchError('not-found', '404 Not Found');
      loaded = await this.#loader.load(segment, signal);
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof FetchError)) throw error;
      await this.#miss(segment, error);
      return false;
    }
    if (isFresh) this.#pacer.burst(performance.now());
    await this.#give(segment, loaded);
    return true;
  }

  async #give(segment: Segment, loaded: LoadedSegment): Promise<void> {
    const time = firstTime(loaded.bytes);
    const mapUrl =
      segment.map === undefined ? undefined : `${segment.map.url} ${String(segment.map.range?.offset ?? 0)}`;
    const wentBack = time !== undefined && this.#lastTime !== undefined && time < this.#lastTime;
    if (segment.discontinuity || wentBack || mapUrl !== this.#mapUrl) await this.#finishRun();
    if (this.#run?.hasEnded === true) await this.#finishRun();
    [this.#lastTime, this.#mapUrl] = [time, mapUrl];
    this.#run ??= this.#begin(loaded, segment.durationMs);
    await this.#run.take(loaded);
  }

  #begin(loaded: LoadedSegment, durationMs: number): SegmentRun {
    this.#pacer.restart(this.#missingMs);
    this.#missingMs = 0;
    this.#begins = true;
    const options = {
      ...this.options,
      onPacket: (packet: Packet, header: StreamHeader) => {
        this.#everReceived = true;
        this.#trouble = undefined;
        this.#barrenRuns = 0;
        const dueMs = this.#pacer.due(packet.dts ?? packet.pts, performance.now());
        this.#queue.push({ packet, header, begins: this.#begins, dueMs });
        this.#begins = false;
      },
      onFault: (error: Error) => {
        this.#failure ??= error;
        this.#ending.abort();
      },
    };
    return new SegmentRun(options, loaded, durationMs);
  }

  /** Behind it all begins anew. */
  async #finishRun(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const endedItself = run.hasEnded;
    await run.finish();
    if (run.isBarren && !this.#ending.signal.aborted) this.#judgeBarren(run, endedItself);
  }

  /** Its segments were taken, and no video came of them. */
  #judgeBarren(run: SegmentRun, endedItself: boolean): void {
    const { source } = this.options.camera;
    const { spawnError, crash, stderr } = run;
    if (spawnError !== undefined)
      throw new Fault('ffmpeg', `ffmpeg could not be started: ${spawnError.message}`);
    if (crash !== undefined) throw fault(crashFault(source, crash));
    if (NO_KEYFRAME.test(stderr)) {
      this.#trouble = this.#told('no-keyframe', 'sent video, but no keyframe in its segments');
      return;
    }
    this.#trouble = openFault(source, redactText(stderr));
    if (endedItself && ++this.#barrenRuns >= MAX_BARREN_RUNS && !this.#everReceived)
      throw fault(this.#trouble);
  }

  /** It cannot be read: what follows does not continue what came before. */
  async #miss({ durationMs }: Segment, error: FetchError): Promise<void> {
    await this.#finishRun();
    this.#missingMs += durationMs;
    const why = asRecord(asFault(error, this.options.camera));
    this.#trouble =
      error.code === 'not-found'
        ? this.#told(
            'not-found',
            'has a playlist, but not the segments it lists (404); look at what makes it: the camera, or its encoder',
          )
        : error.code === 'encrypted' || error.code === 'bad-key' || error.code === 'empty'
          ? this.#told(error.code, SEGMENT_TROUBLE[error.code])
          : why;
  }

  #told(code: string, sentence: string): FaultRecord {
    return { code, message: `${feedName(this.options.camera.source)} ${sentence}` };
  }

  async #close(): Promise<void> {
    this.#queue.close();
    await this.#run?.abandon();
    this.opened.client.close();
  }
}

const SEGMENT_TROUBLE = {
  encrypted: 'encrypts its segments in a way that cannot be read here; set it to AES-128, or to none',
  'bad-key': 'encrypts its segments, and gives keys that do not fit them',
  empty: 'lists segments that are empty; look at what makes them: the camera, or its encoder',
} as const;

function asRecord(error: Error): FaultRecord {
  return { code: error instanceof Fault ? error.code : 'failed', message: error.message };
}

function fault({ code, message }: FaultRecord): Fault {
  return new Fault(code, message);
}
