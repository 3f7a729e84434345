/** The playlist of a live HLS feed, in the tags of RFC 8216 and its low-latency extension. Pure. */
import type { LiveHlsOptions } from './hls-options';
import { keyNumber, SHARED, vector, type HlsSegments } from './hls-segments';

export interface PlaylistState {
  /** Segments that are complete; the last of them are listed. */
  readonly made: number;
  readonly isEnded: boolean;
  /** The token that segments are asked for with. */
  readonly token: number;
  /** The folder of all addresses. */
  readonly base: string;
}

export function playlistOf(options: LiveHlsOptions, segments: HlsSegments, state: PlaylistState): string {
  const { window = 3, isLowLatency = false, tags, isSilentAboutDiscontinuities = false, clips } = options;
  const { made, base, isEnded } = state;
  const first = Math.max(0, made - window);
  const lines = head(options, segments.segmentMs, first);
  let map: Buffer | undefined;
  for (let n = first; n < made; n++) {
    const { clip, begins } = segments.at(n);
    if (begins && !isSilentAboutDiscontinuities) lines.push('#EXT-X-DISCONTINUITY');
    if (clip.head !== undefined && clip.head !== map)
      lines.push(`#EXT-X-MAP:URI="${base}/head${clips.indexOf(clip)}.mp4"`);
    map = clip.head;
    lines.push(...keyLines(options, n), ...(tags?.(n) ?? []));
    if (isLowLatency)
      for (let part = 0; part < 3; part++)
        lines.push(`#EXT-X-PART:DURATION=0.333,URI="${base}/part${n}.${part}.mp4"`);
    lines.push(`#EXTINF:${(segments.segmentMs / 1000).toFixed(3)},`);
    lines.push(...segmentLines(options, segments, n, state));
  }
  if (isLowLatency)
    lines.push(
      `#EXT-X-PART:DURATION=0.333,URI="${base}/part${made}.0.mp4",INDEPENDENT=YES`,
      `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${base}/part${made}.1.mp4"`,
    );
  if (isEnded) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

function head(options: LiveHlsOptions, segmentMs: number, first: number): string[] {
  const { doesNotCount = false, isLowLatency = false } = options;
  const lines = [
    ...['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${Math.ceil(segmentMs / 1000)}`],
    `#EXT-X-MEDIA-SEQUENCE:${doesNotCount ? 0 : first}`,
  ];
  if (isLowLatency)
    lines.push(
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0',
      '#EXT-X-PART-INF:PART-TARGET=0.33',
    );
  return lines;
}

function keyLines({ keys, hasVector = false }: LiveHlsOptions, n: number): string[] {
  if (keys === undefined) return [];
  const uri = keys === 'one-name' ? '/key' : `/key${keyNumber(n)}`;
  const named = hasVector ? `,IV=0x${vector(n, true).toString('hex')}` : '';
  return [`#EXT-X-KEY:METHOD=AES-128,URI="${uri}"${named}`];
}

function segmentLines(
  { hasByteRanges = false, hasTokens = false }: LiveHlsOptions,
  segments: HlsSegments,
  n: number,
  { base, token }: PlaylistState,
): string[] {
  const query = hasTokens ? `?token=${token}` : '';
  if (!hasByteRanges) return [`${base}/n${n}${query}`];
  const from = Math.floor(n / SHARED) * SHARED;
  let offset = 0;
  for (let before = from; before < n; before++) offset += segments.at(before).bytes.length;
  return [`#EXT-X-BYTERANGE:${segments.at(n).bytes.length}@${offset}`, `${base}/ten${from}${query}`];
}
