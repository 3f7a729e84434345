/**
 * Reads HLS playlists (RFC 8216). Pure; takes linear time for any input.
 * Partial segments and preload hints are skipped: each becomes part of a whole segment.
 */
import type { Resource, SegmentKey, Segment, MediaPlaylist, Variant, MasterPlaylist } from './playlist';
import {
  bad,
  milliseconds,
  PLAIN_NAME,
  readAttributes,
  resolve,
  valueOf,
  type Attributes,
} from './playlist-syntax';

/** For a playlist without a target duration: the most common value. */
const DEFAULT_TARGET_MS = 6000;

/**
 * @param url the playlist's own, after redirects; the names in it are relative to this URL
 * @throws Fault `bad-playlist`
 */
export function readPlaylist(text: string, url: string): MediaPlaylist | MasterPlaylist {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines[0]?.startsWith('#EXTM3U') !== true) throw bad('does not begin with #EXTM3U');
  const isMaster = lines.some((line) => line.startsWith('#EXT-X-STREAM-INF:'));
  return isMaster ? readMaster(lines, url) : new MediaReader(url).read(lines);
}

function readMaster(lines: readonly string[], base: string): MasterPlaylist {
  const variants: Variant[] = [];
  let attributes: Attributes | undefined;
  for (const line of lines) {
    if (line.startsWith('#EXT-X-STREAM-INF:')) attributes = readAttributes(valueOf(line));
    else if (!line.startsWith('#') && attributes !== undefined) {
      variants.push(readVariant(attributes, resolve(line, base)));
      attributes = undefined;
    }
  }
  return { kind: 'master', variants };
}

function readVariant(attributes: Attributes, url: string): Variant {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/i.exec(attributes['RESOLUTION'] ?? '') ?? [];
  const codecs = (attributes['CODECS'] ?? '').split(',').map((codec) => codec.trim());
  return {
    url,
    bandwidth: Number(attributes['BANDWIDTH'] ?? 0) || 0,
    width: width === undefined ? undefined : Number(width),
    height: height === undefined ? undefined : Number(height),
    codecs: codecs.filter((codec) => codec !== ''),
  };
}

class MediaReader {
  readonly #segments: Segment[] = [];
  #targetMs: number | undefined;
  #sequence = 0;
  #type = '';
  #ended = false;
  #durationMs = 0;
  #discontinuity = false;
  #gap = false;
  #range: { readonly length: number; readonly offset: number | undefined } | undefined;
  #key: SegmentKey | undefined;
  #map: Segment['map'];
  #rangeEnd: { readonly url: string; readonly offset: number } | undefined;

  /** The folder that relative names are resolved against. */
  readonly #folder: string;

  constructor(private readonly base: string) {
    this.#folder = new URL('.', base).href;
  }

  read(lines: readonly string[]): MediaPlaylist {
    for (const line of lines) {
      if (line.startsWith('#EXT')) this.#readTag(line);
      else if (!line.startsWith('#')) this.#addSegment(line);
    }
    const [first] = this.#segments;
    const longestMs = this.#segments.reduce((most, { durationMs }) => Math.max(most, durationMs), 0);
    // A playlist whose window has moved is not a recording: it was live, and its pictures are old.
    const whole = this.#type === 'VOD' || (this.#type !== 'EVENT' && (first?.sequence ?? 0) <= 1);
    return {
      kind: 'media',
      targetMs: (this.#targetMs ?? longestMs) || DEFAULT_TARGET_MS,
      segments: this.#segments,
      ended: this.#ended,
      recording: this.#ended && whole,
    };
  }

  #readTag(line: string): void {
    const value = valueOf(line);
    switch (line.split(':', 1)[0] ?? '') {
      case '#EXTINF':
        this.#durationMs = milliseconds(value);
        break;
      case '#EXT-X-TARGETDURATION':
        this.#targetMs = milliseconds(value);
        break;
      case '#EXT-X-MEDIA-SEQUENCE':
        this.#sequence = Math.max(0, parseInt(value, 10) || 0);
        break;
      case '#EXT-X-PLAYLIST-TYPE':
        this.#type = value.toUpperCase();
        break;
      case '#EXT-X-ENDLIST':
        this.#ended = true;
        break;
      case '#EXT-X-DISCONTINUITY':
        this.#discontinuity = true;
        break;
      case '#EXT-X-GAP':
        this.#gap = true;
        break;
      case '#EXT-X-BYTERANGE':
        this.#range = readRange(value);
        break;
      case '#EXT-X-KEY':
        this.#key = readKey(readAttributes(value), this.base);
        break;
      case '#EXT-X-MAP':
        this.#map = this.#readMap(readAttributes(value));
        break;
      default:
    }
  }

  #readMap(attributes: Attributes): Segment['map'] {
    const range = readRange(attributes['BYTERANGE'] ?? '');
    return {
      url: resolve(attributes['URI'] ?? '', this.base),
      range: range && { length: range.length, offset: range.offset ?? 0 },
      key: this.#key,
    };
  }

  #addSegment(line: string): void {
    const url = PLAIN_NAME.test(line) ? this.#folder + line : resolve(line, this.base);
    this.#segments.push({
      url,
      sequence: this.#sequence++,
      durationMs: this.#durationMs,
      discontinuity: this.#discontinuity,
      gap: this.#gap,
      range: this.#rangeOf(url),
      key: this.#key,
      map: this.#map,
    });
    this.#durationMs = 0;
    this.#discontinuity = this.#gap = false;
    this.#range = undefined;
  }

  /** The current range; without an offset it begins where the previous one ended. */
  #rangeOf(url: string): Resource['range'] {
    if (this.#range === undefined) return undefined;
    const before = this.#rangeEnd?.url === url ? this.#rangeEnd.offset : 0;
    const { length, offset = before } = this.#range;
    this.#rangeEnd = { url, offset: offset + length };
    return { length, offset };
  }
}

function readKey(attributes: Attributes, base: string): SegmentKey | undefined {
  const { METHOD: method = 'NONE', URI: uri = '', IV: vector = '' } = attributes;
  if (method === 'NONE') return undefined;
  const digits = /^0x([0-9a-f]{1,32})$/i.exec(vector)?.[1];
  const iv = digits === undefined ? undefined : Buffer.from(digits.padStart(32, '0'), 'hex');
  return { method, url: resolve(uri, base), iv };
}

/** `length[@offset]` */
function readRange(value: string): { length: number; offset: number | undefined } | undefined {
  const [, length, offset] = /^(\d{1,15})(?:@(\d{1,15}))?$/.exec(value) ?? [];
  if (length === undefined) return undefined;
  return { length: Number(length), offset: offset === undefined ? undefined : Number(offset) };
}
