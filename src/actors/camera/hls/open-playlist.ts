/** Reads the playlist at a feed's URL, and selects the media playlist from which the video is read. */
import { performance } from 'node:perf_hooks';
import type { CameraSpec } from '../../../config/topology';
import { Fault } from '../../../fault/fault';
import { HlsClient, type Limits } from './client';
import { playlistFault, soundOnlyFault } from './hls-faults';
import { MAX_PLAYLIST_BYTES, type MasterPlaylist, type MediaPlaylist } from './playlist';
import { readPlaylist } from './parse-playlist';
import { rankVariants } from './variant-choice';

/** Number of variants to try if the first cannot be fetched: servers list substitutes. */
const MAX_VARIANTS = 4;

/** To be closed with its client's {@link HlsClient.close}. */
export interface OpenedPlaylist {
  readonly client: HlsClient;
  /** URL of the media playlist, before redirects. */
  readonly url: string;
  readonly loaded: LoadedPlaylist;
}

export interface LoadedPlaylist {
  readonly playlist: MediaPlaylist;
  /** After redirects. */
  readonly url: string;
  /** When the playlist was requested, by performance.now(). */
  readonly askedMs: number;
}

/** @throws Fault with the reason no playlist can be read */
export async function openPlaylist(
  camera: CameraSpec,
  url: string,
  signal: AbortSignal,
  onBasic?: () => void,
): Promise<OpenedPlaylist> {
  const { source, connectMs } = camera;
  const client = new HlsClient(url, { ...source, onBasic });
  const limits = {
    maxBytes: MAX_PLAYLIST_BYTES,
    silenceMs: connectMs,
    signal: AbortSignal.any([signal, AbortSignal.timeout(connectMs)]),
  };
  let opened: OpenedPlaylist | undefined;
  try {
    return (opened = await open(client, limits, camera));
  } catch (error) {
    throw playlistFault(source, error);
  } finally {
    if (opened === undefined) client.close();
  }
}

async function open(client: HlsClient, limits: Limits, camera: CameraSpec): Promise<OpenedPlaylist> {
  const askedMs = performance.now();
  const { url, bytes } = await client.fetch({ url: client.url }, limits);
  const playlist = readPlaylist(bytes.toString('utf8'), url);
  if (playlist.kind === 'media') return { client, url: client.url, loaded: { playlist, url, askedMs } };
  return openVariant(client, playlist, limits, camera);
}

async function openVariant(
  client: HlsClient,
  { variants }: MasterPlaylist,
  limits: Limits,
  { source, width }: CameraSpec,
): Promise<OpenedPlaylist> {
  let failure: unknown = Fault.from(soundOnlyFault(source));
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
