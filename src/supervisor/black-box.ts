/** Crash reports of a child: `<data>/black-box/<child>/<when>.json`; only the newest are kept, each of bounded size. */
import { mkdir, readdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { OWNER_ONLY, replaceFile } from '../os/replace-file';
import { redactText } from '../url/url';
import type { FaultRecord } from '../fault/fault';
import type { Heartbeat } from '../protocol/progress';
import { crashFolder } from './crash-files';
import { withSourceLines } from './source-lines';

/** Crash reports kept per child. */
const KEPT_CRASHES = 20;
/** Lines of ffmpeg output kept per camera. */
const KEPT_LINES = 40;
const KEPT_CHARS = 500;

export interface Crash {
  readonly name: string;
  readonly pid: number;
  /** When the process was ready, and when it had ended; milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly fault: FaultRecord;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines its process wrote to both outputs. */
  readonly lastLines: readonly string[];
}

/** The last reports of each child, and the files written from them. */
export class BlackBox {
  readonly #heartbeats = new Map<string, Heartbeat & { readonly atMs: number }>();
  readonly #feedLines = new Map<string, string[]>();
  /** Files are written one after the other: each write removes old and unfinished files. */
  #written: Promise<unknown> = Promise.resolve();

  constructor(private readonly dir: string) {}

  heartbeat(name: string, heartbeat: Heartbeat): void {
    this.#heartbeats.set(name, { ...heartbeat, atMs: Date.now() });
  }

  lastHeartbeat(name: string): (Heartbeat & { readonly atMs: number }) | undefined {
    return this.#heartbeats.get(name);
  }

  /** Lines ffmpeg wrote to standard error. */
  feedSaid(name: string, lines: readonly string[]): void {
    const kept = [...(this.#feedLines.get(name) ?? []), ...lines.map((line) => line.slice(0, KEPT_CHARS))];
    this.#feedLines.set(name, kept.slice(-KEPT_LINES));
  }

  forget(name: string): void {
    this.#heartbeats.delete(name);
    this.#feedLines.delete(name);
  }

  /** Writes a crash report; resolves with the file. Throws if the folder cannot be written. */
  async record(crash: Crash): Promise<string> {
    const record = this.#recordOf(crash);
    this.forget(crash.name);
    const folder = path.join(this.dir, crashFolder(crash.name));
    const name = `${record.endedAt.replaceAll(':', '-')}-${crash.pid}.json`;
    const writing = this.#written.then(async () =>
      writeRecord(folder, name, { ...record, lastLines: await withSourceLines(record.lastLines) }),
    );
    this.#written = writing.catch(() => undefined);
    return writing;
  }

  /** Resolves when no crash report is being written. */
  async idle(): Promise<void> {
    await this.#written;
  }

  #recordOf({ startedAtMs, endedAtMs, ...rest }: Crash) {
    const lastHeartbeat = this.lastHeartbeat(rest.name);
    return {
      ...rest,
      startedAt: new Date(startedAtMs).toISOString(),
      endedAt: new Date(endedAtMs).toISOString(),
      lastHeartbeat,
      ffmpeg: this.#feedLines.get(rest.name) ?? [],
    };
  }
}

async function writeRecord(folder: string, name: string, record: unknown): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, name);
  await replaceFile(file, `${JSON.stringify(redacted(record), null, 2)}\n`, OWNER_ONLY);
  await removeOldest(folder);
  return file;
}

/** A copy in which no string contains a credential. */
function redacted(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redacted(item)]));
}

/** Names begin with the time, so the oldest sort first. A killed daemon leaves an unfinished file. */
async function removeOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).sort();
  const [unfinished, whole] = [true, false].map((temporary) =>
    names.filter((name) => name.endsWith('.tmp') === temporary),
  ) as [string[], string[]];
  const surplus = [...unfinished, ...whole.slice(0, Math.max(0, whole.length - KEPT_CRASHES))];
  await Promise.all(surplus.map((name) => unlink(path.join(folder, name))));
}
