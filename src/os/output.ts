/** Standard output and standard error, to the last byte: a pipe accepts 64 KiB at once, and `process.exit` drops the rest. */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { ExitFault } from '../fault/fault';

/** Time for the reader of our output to read the rest, milliseconds; a stuck reader does not delay the daemon. */
export const LAST_OUTPUT_MS = 2000;

/** Errors after the reader has gone, as `head` does when it has read enough. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET']);

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would exceed the size limit',
  EIO: 'the device failed',
};

type Output = typeof process.stdout | typeof process.stderr;

/**
 * Writes all of `text` to standard output and waits until it is read, however long that takes. A reader that
 * has gone is not a fault.
 * @throws Fault `cannot-write`
 */
export async function print(text: string | Buffer): Promise<void> {
  const { code } = (await writeAll(process.stdout, text)) ?? {};
  if (code === undefined || READER_GONE.has(code)) return;
  throw new ExitFault(
    'cannot-write',
    `standard output cannot be written: ${WHY[code] ?? 'write failed'} (${code})`,
  );
}

/** The same on standard error, which is the last resort: never rejects. */
export async function printError(text: string): Promise<void> {
  await writeAll(process.stderr, text);
}

/** Ends the process once both outputs have been read, or `limitMs` have passed. */
export async function endProcess(code: number, limitMs = LAST_OUTPUT_MS): Promise<never> {
  surviveClosedOutput();
  const limit = new Promise((resolve) => {
    if (Number.isFinite(limitMs)) setTimeout(resolve, limitMs);
  });
  // Lines logged in this turn of the event loop reach the stream in the next.
  await new Promise(setImmediate);
  await Promise.race([Promise.all([taken(process.stdout), taken(process.stderr)]), limit]);
  process.exit(code);
}

/** A reader of our output that disappears (PM2 restarting, a closed pipe), or a full disk, must not end the process. */
export function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) listenOnce(stream);
}

/**
 * The same, but a stopped terminal (Ctrl-S, a frozen SSH) must not stop the process: Node writes to terminals with blocking
 * calls, unlike to any other output that may have to wait.
 */
export function surviveStuckOutput(): void {
  surviveClosedOutput();
  for (const stream of [process.stdout, process.stderr]) if (stream.isTTY && isOurs(stream)) unblock(stream);
}

/**
 * Node reopens a terminal if it can; its settings then apply to this process alone. If it cannot, it shares
 * the terminal's settings with the shell that started it, which needs blocking mode.
 */
function isOurs({ fd }: Output): boolean {
  try {
    closeSync(
      openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK),
    );
    return true;
  } catch {
    return false;
  }
}

/** Sets non-blocking mode as Node did until version 6; later versions have no public way to do so. */
function unblock(stream: Output): void {
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (isBlocking: boolean) => unknown } };
  handle?.setBlocking?.(false);
}

const ignore = () => undefined;

function listenOnce(stream: Output): void {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
}

/** Resolves with the error, if any. */
async function writeAll(stream: Output, text: string | Buffer): Promise<NodeJS.ErrnoException | undefined> {
  listenOnce(stream);
  if (isFile(stream)) return writeFile(stream.fd, text);
  return new Promise((resolve) => {
    stream.write(text, (error) => resolve(error ?? undefined));
  });
}

/** Node's own stream for files does not notice if a full disk accepted only a part of the text. */
function writeFile(fd: number, text: string | Buffer): NodeJS.ErrnoException | undefined {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** A regular file, or a device that is not a terminal, such as /dev/full. */
function isFile({ fd, isTTY }: Output): boolean {
  if (isTTY) return false;
  try {
    const found = fstatSync(fd);
    return found.isFile() || found.isCharacterDevice();
  } catch {
    return false;
  }
}

/** Resolves when nothing waits in a stream any more, or its reader has closed it. */
async function taken(stream: Output): Promise<void> {
  if (stream.writableLength === 0) return;
  await new Promise((resolve) => stream.write('', resolve));
}
