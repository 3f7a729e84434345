/** Notices that a file has changed, however an editor writes it: in place, by rename, in two steps, through a link. */
import { readBounded } from './content';
import { sleep } from '../clock/sleep';

/** A check costs 0.7 ms of processor time, including wake-ups: the thread pool reads the file. */
const LOOK_MS = 250;
/** Two equal reads show that a write has finished. */
const SETTLE_MS = 100;

/** The text of a file, or why it cannot be read. */
export type FileContent = { readonly text: string } | { readonly error: NodeJS.ErrnoException };

export async function readContent(file: string): Promise<FileContent> {
  try {
    return { text: await readBounded(file) };
  } catch (error) {
    return { error: error as NodeJS.ErrnoException };
  }
}

/**
 * Calls back with every new content of `file` once two reads agree, until `signal` is aborted; one call at a
 * time. It compares contents, not times: links, network shares and writes within one tick of the clock are
 * noticed too.
 * @param isKnown whether a content needs no call
 */
export async function watchContent(
  file: string,
  isKnown: (content: FileContent) => boolean,
  onContent: (content: FileContent) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let before: FileContent | undefined;
  for (;;) {
    await sleep(before === undefined ? LOOK_MS : SETTLE_MS, signal);
    if (signal.aborted) return;
    const content = await readContent(file);
    const isNew = !isKnown(content);
    if (isNew && before !== undefined && isSameContent(content, before)) await onContent(content);
    before = isNew ? content : undefined;
  }
}

export function isSameContent(one: FileContent, other: FileContent): boolean {
  return identity(one) === identity(other);
}

/** The value by which two contents are compared. */
function identity(content: FileContent): string {
  return 'text' in content ? content.text : `\0${content.error.code ?? 'unreadable'}`;
}
