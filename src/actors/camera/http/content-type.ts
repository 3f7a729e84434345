/** The declared type of an answer or a part of one: RFC 9110, 8.3, read as loosely as cameras write it. Pure. */

export interface ContentType {
  /** `type/subtype` in lower case; empty if there is none. */
  readonly type: string;
  readonly boundary?: string | undefined;
}

export function readContentType(header: string | undefined): ContentType {
  const [first = ''] = (header ?? '').split(/[;,]/);
  const type = first.trim().toLowerCase();
  const [, quoted, bare] = /\bboundary[ \t]*=[ \t]*(?:"([^"]*)"|([^\s;,]+))/i.exec(header ?? '') ?? [];
  const boundary = (quoted ?? bare)?.trim();
  return { type, boundary: boundary === '' ? undefined : boundary };
}

/** Types of a JPEG, and unspecific types. */
const PICTURE_TYPES = /^(?:image\/(?:p?jpe?g|jpg|\*)|video\/x-(?:motion-)?jpeg|application\/octet-stream|)$/i;

/** True for the type of a part that may be a JPEG. */
export function isPictureType(type: string): boolean {
  return PICTURE_TYPES.test(type.trim());
}
