/** Reads a media playlist again whenever there may be more, in spite of failures. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../../clock/sleep';
import type { FaultRecord } from '../../../fault/fault';
import type { CameraSpec } from '../../../config/topology';
import { faultRecord } from '../../../fault/fault';
import { notGrowingFault, playlistFault } from './hls-faults';
import { loadMedia, type LoadedPlaylist, type OpenedPlaylist } from './open-playlist';
import { MAX_PLAYLIST_BYTES } from './playlist';

/** Between two requests. */
const LEAST_PAUSE_MS = 250;
const LONGEST_RETRY_MS = 2000;
/** Part of a segment by which one may be listed late without being missed. */
const LISTED_MARGIN = 0.1;
/** The wait is at most two of its segments, or this long. */
const LEAST_SILENCE_MS = 2000;

export class PlaylistFollower {
  #loaded: LoadedPlaylist;
  /** Its newest segment was listed then, at the latest. */
  #listedMs = Infinity;

  /** @param onTrouble why nothing new is known */
  constructor(
    private readonly opened: OpenedPlaylist,
    private readonly camera: CameraSpec,
    private readonly onTrouble: (trouble: FaultRecord) => void,
  ) {
    this.#loaded = opened.loaded;
  }

  /**
   * Settles when it was read again; earlier if `signal` is aborted.
   * @param newMs length of the media that was new in it the last time; 0 for nothing, Infinity if it is not known how long it was there
   */
  async next(newMs: number, signal: AbortSignal): Promise<LoadedPlaylist> {
    const { url, playlist } = this.#loaded;
    const last = playlist.segments.at(-1);
    await sleep(Math.max(LEAST_PAUSE_MS, this.#dueMs(newMs) - performance.now()), signal);
    for (let from = url; !signal.aborted; from = this.opened.url) {
      const loaded = await this.#load(from, signal);
      if (loaded !== undefined) {
        if (newMs === 0 && loaded.playlist.segments.at(-1)?.sequence === last?.sequence)
          this.onTrouble(notGrowingFault(this.camera.source));
        return (this.#loaded = loaded);
      }
      // Where a redirect led to may have gone: it is asked for by its first address then.
      await sleep(Math.max(LEAST_PAUSE_MS, Math.min(LONGEST_RETRY_MS, playlist.targetMs / 2)), signal);
    }
    return this.#loaded;
  }

  /**
   * When it is read again (RFC 8216, 6.3.4): a segment's length behind the newest, and a little more: asked for just
   * when it is listed, now and then it would not be there, and be noticed half a segment later.
   */
  #dueMs(newMs: number): number {
    const { askedMs, playlist } = this.#loaded;
    const { targetMs, segments } = playlist;
    if (newMs === Infinity) this.#listedMs = Infinity;
    if (newMs === 0 || newMs === Infinity) return askedMs + targetMs / 2;
    this.#listedMs = Math.min(askedMs, this.#listedMs + newMs);
    const nextMs = Math.min(targetMs, (segments.at(-1)?.durationMs ?? 0) || targetMs);
    return this.#listedMs + (1 + LISTED_MARGIN) * nextMs;
  }

  async #load(url: string, signal: AbortSignal): Promise<LoadedPlaylist | undefined> {
    const { stallMs, source } = this.camera;
    const { targetMs } = this.#loaded.playlist;
    const silenceMs = Math.min(stallMs, Math.max(2 * targetMs, LEAST_SILENCE_MS));
    try {
      return await loadMedia(this.opened.client, url, { maxBytes: MAX_PLAYLIST_BYTES, silenceMs, signal });
    } catch (error) {
      if (!signal.aborted) this.onTrouble(faultRecord(playlistFault(source, error), 'failed'));
      return undefined;
    }
  }
}
