/**
 * The kind of an HTTP answer, by its type and its first bytes; if they contradict, the bytes decide. Pure.
 */

import { isPlaylist } from './is-playlist';

/**
 * `parts`: JPEGs in parts. `pictures`: JPEGs one after the other. `picture`: one, or possibly several. `page`: text for
 * people. `playlist`: HLS. `other`: video, or an unknown format.
 */
export type AnswerKind = 'parts' | 'pictures' | 'picture' | 'page' | 'playlist' | 'other';

/** This many bytes suffice; fewer are examined only at the end of an answer. */
export const ENOUGH_FIRST_BYTES = 16;

export function answerKind(type: string, begun: Buffer): AnswerKind {
  if (isPlaylist(type, begun)) return 'playlist';
  if (isJpeg(begun))
    return type.startsWith('image/') ? 'picture' : type.startsWith('multipart/') ? 'parts' : 'pictures';
  if (type.startsWith('multipart/')) return 'parts';
  const text = begun.toString('latin1').trimStart();
  if (/^--[\w'()+,./:=?-]/.test(text) || /^content-(?:type|length):/i.test(text)) return 'parts';
  if (
    /^<(?:!doctype|html|head|\?xml|body|meta|script)?/i.test(text) &&
    /^(?:text\/|application\/(?:xml|xhtml|json))/.test(type)
  )
    return 'page';
  return /^[{[]/.test(text) && /json|^text\//.test(type) ? 'page' : 'other';
}

export function isJpeg(bytes: Buffer): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** The boundary of an answer whose type names none: its first line. */
export function firstBoundary(begun: Buffer): string | undefined {
  return /^\s*--([^\r\n]{1,70})\r?\n/.exec(begun.toString('latin1'))?.[1];
}
