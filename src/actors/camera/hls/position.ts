/** A reader's position in a playlist, and what it reads next. Pure. */
import type { MediaPlaylist, Segment } from './playlist';

/**
 * Number of segments of a live playlist that are read first: one to show, and one in hand until the next is
 * listed.
 */
export const JOIN_SEGMENTS = 2;
/** Media that may be unread, beyond two segments, before it is skipped in favour of newer media. */
const MAX_BEHIND_MS = 5000;

export interface Position {
  readonly sequence: number;
  /** Path of the segment's URL; the query may differ each time. */
  readonly path: string;
}

export interface Next {
  readonly segments: readonly Segment[];
  /** The segments do not continue what was read before. */
  readonly jumped: boolean;
}

export function positionOf({ sequence, url, range }: Segment): Position {
  return { sequence, path: `${url.split('?', 1)[0] ?? ''}@${range?.offset ?? 0}` };
}

/**
 * The segments after `last`; those at the live edge if there is no `last`, if it has left the playlist, or if
 * so much has been listed since that the pictures would be old.
 * @param inHandMs milliseconds of media that were read and are not shown yet
 */
export function nextSegments(playlist: MediaPlaylist, last: Position | undefined, inHandMs: number): Next {
  const { segments, targetMs, ended, recording } = playlist;
  if (last === undefined)
    return { segments: recording ? segments : ended ? [] : segments.slice(-JOIN_SEGMENTS), jumped: true };
  const from = indexBehind(segments, last);
  if (from === undefined) return { segments: segments.slice(-JOIN_SEGMENTS), jumped: true };
  const unread = segments.slice(from);
  const unreadMs = unread.reduce((sum, { durationMs }) => sum + durationMs, 0);
  if (!ended && unread.length > JOIN_SEGMENTS && inHandMs + unreadMs > 2 * targetMs + MAX_BEHIND_MS)
    return { segments: unread.slice(-JOIN_SEGMENTS), jumped: true };
  return { segments: unread, jumped: false };
}

/** Index of the first segment after `last`; undefined if the playlist has restarted or moved past it. */
function indexBehind(segments: readonly Segment[], last: Position): number | undefined {
  const [first] = segments;
  // An empty playlist may grow.
  if (first === undefined) return 0;
  const counted = last.sequence - first.sequence;
  if (counted < -1 || counted >= segments.length) return undefined;
  if (counted === -1 || isAt(segments[counted], last)) return counted + 1;
  // In playlists that do not count (MEDIA-SEQUENCE never changes) the segment is found by its URL. In others
  // its URL changes each time.
  const found = segments.findIndex((segment) => isAt(segment, last));
  return (found >= 0 ? found : counted) + 1;
}

function isAt(segment: Segment | undefined, { path }: Position): boolean {
  return segment !== undefined && positionOf(segment).path === path;
}
