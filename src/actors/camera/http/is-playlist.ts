/** Whether an answer is an HLS playlist. The content decides, not the ending of the URL. Pure. */

/** The tag that begins a playlist (RFC 8216, 4). */
const FIRST_TAG = '#EXTM3U';
const BYTE_ORDER_MARK = '\xef\xbb\xbf';
/** RFC 8216, 4, and other types in use. */
const PLAYLIST_TYPE = /^(?:application|audio|video)\/(?:vnd\.apple\.|x-)?mpegurl\b/i;
/** This many first bytes suffice. */
const ENOUGH_FIRST_BYTES = BYTE_ORDER_MARK.length + FIRST_TAG.length;

/**
 * @param contentType the header's value; empty if there was none
 * @param firstBytes the bytes received so far; if they are too few, the type alone decides
 */
export function isPlaylist(contentType: string, firstBytes: Buffer): boolean {
  const head = firstBytes.toString('latin1', 0, ENOUGH_FIRST_BYTES).replace(BYTE_ORDER_MARK, '');
  if (head.length >= FIRST_TAG.length) return head.startsWith(FIRST_TAG);
  return PLAYLIST_TYPE.test(contentType.trim()) && FIRST_TAG.startsWith(head);
}
