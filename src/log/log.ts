/** Logging through winston: readable on a terminal, JSON lines otherwise, never a credential. */
import { Writable } from 'node:stream';
import type winston from 'winston';
import { redactText } from '../url/url';
import { localTime } from './local-time';
import { LOG_LEVELS, type LogLevel } from './levels';
import { BoundedLines, type LineSink } from './lines';

/** Set to `readable` where lines go through a pipe to a terminal. */
export const LOG_FORMAT_VARIABLE = 'VIGIL_LOG_FORMAT';

export type { LogLevel } from './levels';

/** Facts beside the sentence; strings among them are redacted too. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

type Entry = Record<string, unknown> & { level: string; message: unknown };

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

const COLOURS: Readonly<Record<string, string>> = { error: '31', warn: '33', info: '32', debug: '90' };

function readableLine(entry: Entry, colour: boolean): string {
  const { level, message, actor, pid, time, camera: _camera, ...fields } = entry;
  const shown = colour ? `\u001b[${COLOURS[level] ?? '0'}m${level.padEnd(5)}\u001b[0m` : level.padEnd(5);
  const facts = Object.entries(fields).map(([key, value]) => ` ${key}=${String(value)}`);
  return `${localTime(new Date(String(time)))} ${shown} ${String(actor)}[${String(pid)}] ${String(message)}${facts.join('')}`;
}

function lineFormat({ format }: typeof winston): winston.Logform.Format {
  return format((info) => Object.assign(info, { [Symbol.for('message')]: lineOf(info) }))();
}

function lineOf(info: Entry): string {
  const { level, message, actor, camera, pid, ...fields } = redacted(info);
  const who = { actor, ...(camera === undefined ? {} : { camera }), pid };
  const entry: Entry = { time: new Date().toISOString(), level, message, ...who, ...fields };
  return isReadable() ? readableLine(entry, process.env['NO_COLOR'] === undefined) : JSON.stringify(entry);
}

function isReadable(): boolean {
  return process.stdout.isTTY || process.env[LOG_FORMAT_VARIABLE] === 'readable';
}

/** How talkative the logs of this process are, by actor. */
const levels = new Map<string, LogLevel>();

/** From now on all logs of this process are as talkative as that. */
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

/** Opened for the first line, which most actors never write. */
const standardOutput: LineSink = {
  get writableLength() {
    return process.stdout.writableLength;
  },
  write: (text) => process.stdout.write(text),
};

const lines = new BoundedLines(standardOutput, (count) => {
  const message = `${count} lines of the log are missing here: nobody read them in time`;
  return lineOf({ level: 'warn', message, code: 'log-lost', ...identity('log') });
});

/** Passes on a line that an actor's process has written. */
export function passLine(line: string): void {
  lines.write(line);
}

let opened: winston.Logger | undefined;

/** Made for the first line: an actor that has nothing to say starts 60 ms of processor time sooner. */
function logger(): winston.Logger {
  if (opened !== undefined) return opened;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a line must not wait for an import
  const library = require('winston') as typeof winston;
  const stream = new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      lines.write(line);
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
