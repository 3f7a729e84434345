/** Reloads a media playlist whenever it may have grown, in spite of failures. */
import { performance } from 'node:perf_hooks';
import { sleep } from '../../../clock/sleep';
import type { FaultRecord } from '../../../fault/fault';
import type { CameraSpec } from '../../../config/topology';
import { faultRecord } from '../../../fault/fault';
import { notGrowingFault, playlistFault } from './hls-faults';
import { loadMedia, type LoadedPlaylist, type OpenedPlaylist } from './open-playlist';
import { MAX_PLAYLIST_BYTES } from './playlist';

/** Shortest pause between two requests. */
const LEAST_PAUSE_MS = 250;
const LONGEST_RETRY_MS = 2000;
/** Part of a segment's length by which it may be listed late without being missed. */
const LISTED_MARGIN = 0.1;
/** The server may be silent for two segments, but no less than this. */
const LEAST_SILENCE_MS = 2000;

export class PlaylistFollower {
  #loaded: LoadedPlaylist;
  /** Latest time at which the newest segment can have been listed. */
  #listedMs = Infinity;

  /** @param onTrouble called with the reason there is nothing new */
  constructor(
    private readonly opened: OpenedPlaylist,
    private readonly camera: CameraSpec,
    private readonly onTrouble: (trouble: FaultRecord) => void,
  ) {
    this.#loaded = opened.loaded;
  }

  /**
   * Settles when the playlist was reloaded, or earlier if `signal` is aborted.
   * @param newMs length of the media that was new the last time; 0 for none, Infinity if it is not known
   * since when it was listed
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
      // The target of a redirect may no longer exist, so the original address is requested next.
      await sleep(Math.max(LEAST_PAUSE_MS, Math.min(LONGEST_RETRY_MS, playlist.targetMs / 2)), signal);
    }
    return this.#loaded;
  }

  /**
   * When the playlist is reloaded (RFC 8216, 6.3.4): a little more than a segment's length after the newest
   * was listed. Without the margin the next one would sometimes not be listed yet, and be noticed half a
   * segment later.
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
