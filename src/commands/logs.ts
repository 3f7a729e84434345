/** `logs`: the newest lines that the running daemon has written, and those that follow. */
import type { IncomingMessage } from 'node:http';
import { unlessAborted } from '../clock/sleep';
import { askLogs } from '../control/client';
import type { LogRequest } from '../control/protocol';
import { ExitFault } from '../fault/fault';
import { hasColours, readableLine } from '../log/entry';
import { LineSplitter } from '../os/line-splitter';
import { print, printError, surviveClosedOutput } from '../os/output';
import { ENDING_SIGNALS } from './ending-signals';
import { EXIT } from './exit-codes';
import { childNamed, noChild } from './no-child';

/** Longer lines are cut by the daemon. */
const MAX_LINE_CHARS = 1_000_000;

export interface LogsOptions {
  readonly dataDir: string;
  /** Id of a camera, or name of an actor; undefined for all. */
  readonly name: string | undefined;
  readonly lines: number;
  readonly follow: boolean;
  readonly json: boolean;
}

/**
 * Prints the lines; resolves with the exit code when all are printed, on a signal, or when the reader has
 * gone.
 * @throws ExitFault `no-daemon`, also when the daemon ends while its log is followed; `not-permitted`,
 * `no-child`
 */
export async function logs(options: LogsOptions): Promise<number> {
  const { dataDir, name, follow, json } = options;
  const stream = await open(options);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ENDING_SIGNALS) process.on(signal, stop);
  surviveClosedOutput();
  process.stdout.on('error', stop);
  const isColoured = hasColours(process.stdout, process.env);
  const shown = (line: string) => `${json ? line : readableLine(line, isColoured)}\n`;
  stopping.signal.addEventListener('abort', () => stream.destroy());
  let count = 0;
  try {
    const splitter = new LineSplitter(MAX_LINE_CHARS);
    for await (const text of stream.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = splitter.push(text);
      count += lines.length;
      await unlessAborted(print(lines.map(shown).join('')), stopping.signal);
    }
  } catch (error) {
    // The daemon was killed, or the reader has gone.
    if (!follow && !stopping.signal.aborted) throw error;
  }
  if (stopping.signal.aborted) return EXIT.clean;
  if (follow)
    throw new ExitFault('no-daemon', `the daemon on ${dataDir} has ended, and with it what was followed`);
  if (count === 0 && name !== undefined)
    await printError(`note: the daemon keeps no line of ${name}: none was written since it started\n`);
  return EXIT.clean;
}

async function open({ dataDir, name, lines, follow }: LogsOptions): Promise<IncomingMessage> {
  const asked = (actor?: string): LogRequest => ({
    ...{ lines, follow },
    ...(actor === undefined ? {} : { actor }),
  });
  const first = await askLogs(dataDir, asked(name));
  if (!('names' in first)) return first;
  const actor = childNamed(name ?? '', first.names);
  const second = actor === undefined ? first : await askLogs(dataDir, asked(actor));
  if ('names' in second) throw noChild(name ?? '', second.names);
  return second;
}
