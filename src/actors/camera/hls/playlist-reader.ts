/** Reads an HLS playlist until it ends: each packet is delivered when it is due. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../../clock/sleep';
import { Fault, type FaultRecord } from '../../../fault/fault';
import { crashFault } from '../feed/fault';
import type { Packet, StreamHeader } from '../ffmpeg/packet-splitter';
import { FetchError } from './fetch-error';
import { barrenFault, endedFault, playlistFault, segmentFault } from './hls-faults';
import type { OpenedPlaylist } from './open-playlist';
import { PacedQueue } from './paced-queue';
import { Pacer } from './pacer';
import type { MediaPlaylist, Segment } from './playlist';
import { PlaylistFollower } from './playlist-follower';
import { nextSegments, positionOf, type Position } from './position';
import { SegmentLoader, type LoadedSegment } from './segment-loader';
import { SegmentRun, type RunOptions } from './segment-run';
import { firstTime } from './segment-time';

/** No further segment is read while more than this many bytes wait to be due. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Milliseconds of a recording that are read ahead. */
const READ_AHEAD_MS = 2000;
/**
 * If a recording's segment yields no packet within this time, the next is read; checked at the second
 * interval.
 */
const FIRST_PACKET_MS = 1000;
const LOOK_MS = 50;
/** Number of runs without a packet after which the feed is given up, if none has ever arrived. */
const MAX_BARREN_RUNS = 2;
export interface ReaderOptions extends Omit<RunOptions, 'onPacket'> {
  /**
   * @param agoMs time since the packet was due.
   * @param begins whether it does not continue the previous packet
   */
  readonly onPacket: (packet: Packet, header: StreamHeader, agoMs: number, begins: boolean) => void;
}

export class PlaylistReader {
  /** Settles when no more packets can arrive. */
  readonly exited: Promise<void>;
  readonly #ending = new AbortController();
  readonly #pacer: Pacer;
  readonly #queue: PacedQueue;
  readonly #loader: SegmentLoader;
  readonly #follower: PlaylistFollower;
  #run: SegmentRun | undefined;
  #begins = true;
  /** Milliseconds of media missing between the packets delivered and the next ones. */
  #missingMs = 0;
  #mapUrl: string | undefined;
  #lastTime: number | undefined;
  #everReceived = false;
  #barrenRuns = 0;
  #failure: Error | undefined;
  #trouble: FaultRecord | undefined;

  constructor(
    private readonly opened: OpenedPlaylist,
    private readonly options: ReaderOptions,
  ) {
    const { playlist } = opened.loaded;
    this.#pacer = new Pacer(playlist.targetMs);
    this.#loader = new SegmentLoader(opened.client, options.camera.stallMs);
    this.#follower = new PlaylistFollower(opened, options.camera, (trouble) => {
      this.#trouble = trouble;
    });
    this.#queue = new PacedQueue(({ packet, header, begins }, agoMs) =>
      options.onPacket(packet, header, agoMs, begins),
    );
    this.exited = this.#read(this.#ending.signal)
      .catch((error: unknown) => {
        if (!this.#ending.signal.aborted) this.#failure ??= playlistFault(options.camera.source, error);
      })
      .finally(() => this.#close());
  }

  /** Why nothing has arrived recently, or why the feed ended, if known. */
  get fault(): Error | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#trouble === undefined ? undefined : Fault.from(this.#trouble);
  }

  async end(): Promise<void> {
    this.#ending.abort();
    this.#queue.close();
    await this.#run?.abandon();
    await this.exited;
  }

  async #read(signal: AbortSignal): Promise<void> {
    let position: Position | undefined;
    let { playlist } = this.opened.loaded;
    while (!signal.aborted) {
      const { segments, jumped } = nextSegments(playlist, position, this.#pacer.inHandMs(performance.now()));
      if (jumped) await this.#finishRun();
      // Segments listed at the first read prove nothing about when the next will be.
      const isFresh = position !== undefined && !playlist.recording;
      let got = 0;
      for (const segment of segments) {
        await this.#room(playlist.recording);
        position = positionOf(segment);
        if (await this.#segment(segment, isFresh, signal)) got++;
      }
      if (!playlist.ended)
        ({ playlist } = await this.#follower.next(jumped ? Infinity : lengthOf(segments), signal));
      else if (await this.#endsHere(playlist, got)) return;
      else position = undefined;
    }
  }

  /** Ends the feed and returns true, unless it is a recording, which starts again. */
  async #endsHere({ recording }: MediaPlaylist, got: number): Promise<boolean> {
    await this.#finishRun();
    if (recording && got > 0) return false;
    await this.#queue.until(() => this.#queue.isEmpty);
    this.#failure ??= Fault.from(
      (got === 0 ? this.#trouble : undefined) ?? endedFault(this.options.camera.source),
    );
    return true;
  }

  /** Waits until more may be read. */
  async #room(isRecording: boolean): Promise<void> {
    // All of a recording is available at once: nothing more is read until its first packet has arrived.
    for (
      let waitedMs = 0;
      isRecording && waitedMs < FIRST_PACKET_MS && this.#awaitsFirst();
      waitedMs += LOOK_MS
    )
      await sleep(LOOK_MS, this.#ending.signal);
    await this.#queue.until(
      () =>
        this.#queue.bytes <= MAX_WAITING_BYTES &&
        (!isRecording || this.#queue.isEmpty || this.#pacer.inHandMs(performance.now()) <= READ_AHEAD_MS),
    );
  }

  #awaitsFirst(): boolean {
    return this.#run?.isBarren === true && !this.#run.hasEnded && !this.#ending.signal.aborted;
  }

  /** Returns whether the segment was read. */
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
      segment.map === undefined ? undefined : `${segment.map.url} ${segment.map.range?.offset ?? 0}`;
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
    };
    return new SegmentRun(options, loaded, durationMs);
  }

  /** Finishes the current run of segments; the next segment begins a new one. */
  async #finishRun(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const endedItself = run.hasEnded;
    await run.finish();
    if (run.isBarren && !this.#ending.signal.aborted) this.#judgeBarren(run, endedItself);
  }

  /** Judges a run whose segments yielded no video. */
  #judgeBarren({ spawnError, crash, stderr }: SegmentRun, endedItself: boolean): void {
    const { source } = this.options.camera;
    if (spawnError !== undefined)
      throw new Fault('ffmpeg', `ffmpeg could not be started: ${spawnError.message}`);
    if (crash !== undefined) throw Fault.from(crashFault(source, crash));
    this.#trouble = barrenFault(source, stderr);
    const mayStillCome = this.#everReceived || this.#trouble.code === 'no-keyframe';
    if (endedItself && ++this.#barrenRuns >= MAX_BARREN_RUNS && !mayStillCome)
      throw Fault.from(this.#trouble);
  }

  /** Skips a segment that cannot be read: the next one does not continue the previous one. */
  async #miss({ durationMs }: Segment, error: FetchError): Promise<void> {
    await this.#finishRun();
    this.#missingMs += durationMs;
    this.#trouble = segmentFault(this.options.camera.source, error);
  }

  async #close(): Promise<void> {
    this.#queue.close();
    await this.#run?.abandon();
    this.opened.client.close();
  }
}

function lengthOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
