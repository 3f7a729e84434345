/**
 * Changes single values within the text of a JSON file: all other text is kept, including comments, order, indentation and line
 * ends. New text is written in the style of its neighbours. Pure.
 */
import { applyEdits, findNodeAtLocation, parseTree, type Edit, type Node } from 'jsonc-parser';
import type { Place } from '../paths';

interface Style {
  readonly eol: string;
  /** One level of indentation. */
  readonly indent: string;
}

/** Thrown if a text has no value at the place to be changed; the caller reports what is wrong with the text. */
export class NoSuchPlace extends Error {}

/**
 * `text` with `value` at `place`: it replaces the value there, or is appended to its object or list.
 * @param text JSON, with or without comments and a byte order mark
 */
export function withValue(text: string, place: Place, value: unknown): string {
  return edited(text, (json, root) => {
    const key = place.at(-1);
    const within = findNodeAtLocation(root, place.slice(0, -1));
    const present = findNodeAtLocation(root, [...place]);
    const style = styleOf(json);
    if (present !== undefined) return [replacement(json, present, value, style)];
    if (within?.type === 'array' && key === (within.children ?? []).length)
      return insertion(json, within, (base) => written(value, base, style), style);
    if (within?.type === 'object' && typeof key === 'string')
      return insertion(
        json,
        within,
        (base) => `${JSON.stringify(key)}: ${written(value, base, style)}`,
        style,
      );
    throw new NoSuchPlace(`nothing can be put at ${place.join('.')}`);
  });
}

/** `text` without the value at `place`, and without its key. */
export function withoutValue(text: string, place: Place): string {
  return edited(text, (json, root) => {
    const node = findNodeAtLocation(root, [...place]);
    if (node?.parent === undefined) throw new NoSuchPlace(`there is nothing at ${place.join('.')}`);
    const item = node.parent.type === 'property' ? node.parent : node;
    return removal(json, item);
  });
}

function edited(text: string, change: (json: string, root: Node) => Edit[]): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const json = text.slice(mark.length);
  const root = parseTree(json, [], { allowTrailingComma: true });
  if (root === undefined) throw new NoSuchPlace('there is no JSON');
  return mark + applyEdits(json, change(json, root));
}

function replacement(json: string, { offset, length }: Node, value: unknown, style: Style): Edit {
  return { offset, length, content: written(value, indentAt(json, offset), style) };
}

/** After the last child, on a line of its own if that child has one. */
function insertion(json: string, parent: Node, write: (base: string) => string, style: Style): Edit[] {
  const last = parent.children?.at(-1);
  const close = parent.offset + parent.length - 1;
  if (last === undefined) return [intoEmpty(json, parent, write, style)];
  const end = last.offset + last.length;
  const comma = commaBehind(json, end, close);
  const behind = comma === undefined ? end : comma + 1;
  const separator: Edit[] = comma === undefined ? [{ offset: end, length: 0, content: ',' }] : [];
  if (!hasOwnLine(json, last.offset))
    return [...separator, { offset: behind, length: 0, content: ` ${compact(write(''))}` }];
  const base = indentAt(json, last.offset);
  // A comment after the last child belongs to that child.
  const [comment = ''] =
    /^[ \t]*(?:\/\/[^\r\n]*|\/\*(?:(?!\*\/)[^\r\n])*\*\/(?=[ \t]*[\r\n]))/.exec(json.slice(behind)) ?? [];
  return [
    ...separator,
    { offset: behind + comment.length, length: 0, content: style.eol + base + write(base) },
  ];
}

/** The object contains only blanks, or comments that are kept. */
function intoEmpty(json: string, parent: Node, write: (base: string) => string, style: Style): Edit {
  const open = parent.offset + 1;
  const inside = json.slice(open, parent.offset + parent.length - 1);
  const base = indentAt(json, parent.offset);
  const isOneLine = !/[\r\n]/.test(json.trim());
  const deeper = base + style.indent;
  if (inside.trim() !== '')
    return { offset: open + inside.trimEnd().length, length: 0, content: style.eol + deeper + write(deeper) };
  const content = isOneLine ? compact(write('')) : `${style.eol}${deeper}${write(deeper)}${style.eol}${base}`;
  return { offset: open, length: inside.length, content };
}

/** Removes an item and one comma, with the lines that contain nothing else. Comments stay. */
function removal(json: string, item: Node): Edit[] {
  const { parent } = item;
  const siblings = parent?.children ?? [];
  const place = siblings.indexOf(item);
  const [open, close] = [(parent?.offset ?? 0) + 1, (parent?.offset ?? 0) + (parent?.length ?? 0) - 1];
  const [start, end] = [item.offset, item.offset + item.length];
  const isAlone =
    siblings.length === 1 &&
    (json.slice(open, start) + json.slice(end, close)).replace(',', '').trim() === '';
  if (isAlone) return [cut(open, close)];
  const behind = commaBehind(json, end, siblings[place + 1]?.offset ?? close);
  const former = siblings[place - 1];
  const before =
    behind === undefined && former !== undefined
      ? commaBehind(json, former.offset + former.length, start)
      : undefined;
  const commas = [before, behind].flatMap((at) => (at === undefined ? [] : [at]));
  const isClose = behind !== undefined && json.slice(end, behind).trim() === '';
  const over = isClose ? behind + 1 : end;
  const ownCommas = commas.filter((at) => at < start || at >= over).map((at) => cut(at, at + 1));
  if (hasOwnLine(json, start) && /^[ \t]*(?:[\r\n]|$)/.test(json.slice(over))) {
    const [rest = ''] = /^[ \t]*(?:\r\n|\r|\n)?/.exec(json.slice(over)) ?? [];
    return [...ownCommas, cut(start - indentAt(json, start).length, over + rest.length)];
  }
  if (before !== undefined && json.slice(before + 1, start).trim() === '') return [cut(before, end)];
  const [blanks = ''] = behind === undefined ? [] : (/^[ \t]*/.exec(json.slice(over)) ?? []);
  return [...ownCommas, cut(start, over + blanks.length)];
}

function cut(from: number, to: number): Edit {
  return { offset: from, length: to - from, content: '' };
}

/** Whether only blanks precede `offset` on its line. */
function hasOwnLine(json: string, offset: number): boolean {
  return /[\r\n][ \t]*$/.test(json.slice(0, offset));
}

/** Offset of the comma between two places, ignoring comments; undefined if there is none. */
function commaBehind(json: string, from: number, to: number): number | undefined {
  const rest = json
    .slice(from, to)
    .replace(/\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g, (comment) => ' '.repeat(comment.length));
  const at = rest.indexOf(',');
  return at === -1 ? undefined : from + at;
}

/** The blanks that the line of `offset` begins with. */
function indentAt(json: string, offset: number): string {
  const line = /[^\r\n]*$/.exec(json.slice(0, offset))?.[0] ?? '';
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function written(value: unknown, base: string, { eol, indent }: Style): string {
  return JSON.stringify(value, null, indent).replaceAll('\n', eol + base);
}

/** On one line. */
function compact(json: string): string {
  return json.replace(/[\r\n]+[ \t]*/g, ' ');
}

function styleOf(json: string): Style {
  const eol = /\r\n|\n|\r/.exec(json)?.[0] ?? '\n';
  const indent = /[\r\n]([ \t]+)\S/.exec(json)?.[1] ?? '  ';
  return { eol, indent: indent.startsWith('\t') ? '\t' : indent.slice(0, 10) };
}
