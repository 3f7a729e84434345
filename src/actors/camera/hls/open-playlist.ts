/** Finds out whether a URL is that of an HLS playlist, and which one its video is read from. */
import { performance } from 'node:perf_hooks';
import type { CameraSpec } from '../../../config/topology';
import { Fault } from '../../../protocol/fault';
import { HlsClient, type Limits } from './client';
import { FetchError } from './fetch-error';
import { asError, playlistFault, soundOnlyFault } from './hls-words';
import { cannotBePlaylist, ENOUGH_FIRST_BYTES, isPlaylist } from './is-playlist';
import { MAX_PLAYLIST_BYTES, readPlaylist, type MasterPlaylist, type MediaPlaylist } from './playlist';
import { rankVariants } from './variant-choice';

/** Variants that are tried where the first cannot be had: servers name their substitutes. */
const MAX_VARIANTS = 4;

/** Ends with its client's {@link HlsClient.close}. */
export interface OpenedPlaylist {
  readonly client: HlsClient;
  /** The media playlist's, before redirects. */
  readonly url: string;
  readonly loaded: LoadedPlaylist;
}

export interface LoadedPlaylist {
  readonly playlist: MediaPlaylist;
  /** After redirects. */
  readonly url: string;
  /** When it was asked for, of performance.now(). */
  readonly askedMs: number;
}

/**
 * Undefined for what is no playlist.
 * @throws Fault that says why the playlist cannot be read
 */
export async function openPlaylist(
  camera: CameraSpec,
  signal: AbortSignal,
): Promise<OpenedPlaylist | undefined> {
  const { source, connectMs } = camera;
  if (source.kind !== 'stream' || !/^https?:/.test(source.url)) return undefined;
  const client = new HlsClient(source.url);
  let opened: OpenedPlaylist | undefined;
  try {
    const limits = {
      maxBytes: MAX_PLAYLIST_BYTES,
      silenceMs: connectMs,
      signal: AbortSignal.any([signal, AbortSignal.timeout(connectMs)]),
    };
    return (opened = await open(client, limits, camera));
  } catch (error) {
    // An answer so odd that only ffmpeg may understand it is no playlist's.
    if (error instanceof FetchError && error.code === 'malformed') return undefined;
    throw playlistFault(source, error);
  } finally {
    if (opened === undefined) client.close();
  }
}

async function open(
  client: HlsClient,
  limits: Limits,
  camera: CameraSpec,
): Promise<OpenedPlaylist | undefined> {
  const askedMs = performance.now();
  const { url, accepted, bytes } = await client.fetch({ url: client.url }, { ...limits, accepts });
  if (!accepted) return undefined;
  const playlist = readPlaylist(bytes.toString('utf8'), url);
  if (playlist.kind === 'media') return { client, url: client.url, loaded: { playlist, url, askedMs } };
  return openVariant(client, playlist, limits, camera);
}

function accepts(contentType: string, firstBytes: Buffer): boolean | undefined {
  if (cannotBePlaylist(contentType)) return false;
  return firstBytes.length < ENOUGH_FIRST_BYTES ? undefined : isPlaylist(contentType, firstBytes);
}

async function openVariant(
  client: HlsClient,
  { variants }: MasterPlaylist,
  limits: Limits,
  { source, width }: CameraSpec,
): Promise<OpenedPlaylist> {
  let failure: unknown = asError(soundOnlyFault(source));
  for (const { url } of rankVariants(variants, width).slice(0, MAX_VARIANTS))
    try {
      return { client, url, loaded: await loadMedia(client, url, limits) };
    } catch (error) {
      failure = error;
    }
  throw failure;
}

/** @throws FetchError; Fault `bad-playlist` */
export async function loadMedia(client: HlsClient, url: string, limits: Limits): Promise<LoadedPlaylist> {
  const askedMs = performance.now();
  const fetched = await client.fetch({ url }, limits);
  const playlist = readPlaylist(fetched.bytes.toString('utf8'), fetched.url);
  if (playlist.kind === 'media') return { playlist, url: fetched.url, askedMs };
  throw new Fault('bad-playlist', 'the playlist names another list of variants instead of segments');
}
