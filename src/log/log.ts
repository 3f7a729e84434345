/** Logging through winston: readable on a terminal, JSON lines otherwise, never a credential. */
import { Writable } from 'node:stream';
import type winston from 'winston';
import { redactText } from '../url/url';
import { entryOf, hasColours, readableLine, type Entry } from './entry';
import { KeptLines } from './kept-lines';
import { LOG_LEVELS, type LogLevel } from './levels';
import { BoundedLines, type LineSink } from './lines';

export type { LogLevel } from './levels';

/** Facts beside the sentence; strings in them are redacted too. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

function redacted(entry: Entry): Entry {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [key, typeof value === 'string' ? redactText(value) : value]),
  ) as Entry;
}

/** Names the actor and, for `camera:<id>`, the camera, as every line carries them. */
function identity(actor: string): LogFields {
  const camera = /^camera:(.+)$/.exec(actor)?.[1];
  return { actor, ...(camera === undefined ? {} : { camera }), pid: process.pid };
}

function lineFormat({ format }: typeof winston): winston.Logform.Format {
  return format((info) => Object.assign(info, { [Symbol.for('message')]: lineOf(info) }))();
}

function lineOf(info: Entry): string {
  const { level, message, actor, camera, pid, ...fields } = redacted(info);
  const who = { actor, ...(camera === undefined ? {} : { camera }), pid };
  const entry: Entry = { time: new Date().toISOString(), level, message, ...who, ...fields };
  return JSON.stringify(entry);
}

/** Log level of this process's logs, by actor. */
const levels = new Map<string, LogLevel>();

/** From now on all logs of this process use that level. */
export function setLogLevel(level: LogLevel): void {
  for (const actor of levels.keys()) levels.set(actor, level);
}

/** A log whose every line says which actor of which process wrote it. Lines go to standard output. */
export function openLog(actor: string, level: LogLevel): Log {
  levels.set(actor, level);
  const write = (severity: LogLevel) => (message: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(severity) > LOG_LEVELS.indexOf(levels.get(actor) ?? level)) return;
    logger().log({ ...fields, ...identity(actor), level: severity, message });
  };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

/** The process's output; opened for the first line, which most actors never write. */
let outputOf = (): NodeJS.WriteStream => process.stdout;

/** From now on lines of this process are written to standard error: standard output is used otherwise. */
export function logToStandardError(): void {
  outputOf = () => process.stderr;
}

const output: LineSink = {
  get writableLength() {
    return outputOf().writableLength;
  },
  write: (text) => {
    const stream = outputOf();
    return stream.write(
      stream.isTTY ? `${readableLine(text.trimEnd(), hasColours(stream, process.env))}\n` : text,
    );
  },
};

/** The line that replaces those a slow reader missed. */
export function lostLine(count: number): string {
  const message = `${count} lines of the log are missing here: they were not read in time`;
  return lineOf({ level: 'warn', message, code: 'log-lost', ...identity('log') });
}

const lines = new BoundedLines(output, lostLine);

let kept: KeptLines | undefined;

/** From now on the newest lines of this process, and of those it passes on, are kept. */
export function keepLines(): KeptLines {
  return (kept ??= new KeptLines());
}

/** Passes on a line written by an actor's process; a line not in log format is converted. */
export function passLine(line: string, actor: string, pid: number): void {
  const isEntry = entryOf(line) !== undefined;
  const passed = isEntry ? line : lineOf({ level: 'info', message: line, ...identity(actor), pid });
  lines.write(passed);
  kept?.add(actor, passed);
}

let opened: winston.Logger | undefined;

/** Created for the first line: an actor that logs nothing saves 60 ms of processor time at its start. */
function logger(): winston.Logger {
  if (opened !== undefined) return opened;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a line must not wait for an import
  const library = require('winston') as typeof winston;
  const stream = new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      lines.write(line);
      kept?.add(String(entryOf(line)?.['actor']), line);
      done();
    },
  });
  opened = library.createLogger({
    level: 'debug',
    format: lineFormat(library),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's own typings disagree
    transports: [new library.transports.Stream({ stream, eol: '' })],
  });
  return opened;
}
