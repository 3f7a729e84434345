/** The fenced code blocks of Markdown pages. */
import { readFileSync } from 'node:fs';

export interface CodeBlock {
  readonly file: string;
  /** The number of its first line of text, from 1. */
  readonly line: number;
  /** As written behind the fence; empty when nothing is. */
  readonly language: string;
  readonly text: string;
}

const FENCE = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)/;
/** Markdown takes this for code too, and nothing says in which language. */
const INDENTED = /^(?: {4}|\t)\S/;

/**
 * All blocks of a page, in order. An indented one comes with the language "indented".
 * @throws when a fence is not closed
 */
export function codeBlocks(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; indent: number; line: number; language: string; lines: string[] } | undefined;
  let before = '';
  let inList = false;
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      const [, indent = '', fence = '', language = ''] = FENCE.exec(line) ?? [];
      if (open !== undefined) {
        if (fence.startsWith(open.fence) && language === '') {
          blocks.push({ file, line: open.line, language: open.language, text: `${open.lines.join('\n')}\n` });
          open = undefined;
        } else open.lines.push(line.slice(open.indent));
      } else if (fence !== '') open = { fence, indent: indent.length, line: index + 2, language, lines: [] };
      else if (/^\s*(?:[-*+]|\d+\.)\s/.test(line)) inList = true;
      else if (/^\S/.test(line)) inList = false;
      else if (!inList && before.trim() === '' && INDENTED.test(line))
        blocks.push({ file, line: index + 1, language: 'indented', text: line });
      before = line;
    });
  if (open !== undefined) throw new Error(`${file}:${open.line}: this code block is not closed`);
  return blocks;
}
