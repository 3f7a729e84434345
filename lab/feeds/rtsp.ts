/** A real RTSP server for tests: gst-rtsp-server looping clips, with authentication, TLS, and trouble on command. */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withDeadline } from '../../src/clock/sleep';
import { spawnOwned, type OwnedProcess } from '../process';
import type { Codec } from './clips';

/** The system's python: python3-gi is installed for it, not for any other on PATH. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = join(__dirname, 'rtsp_server.py');
const READY_DEADLINE_MS = 20_000;

export interface RtspMount {
  /** Made by `clip()`. */
  readonly clip: string;
  readonly codec: Codec;
  readonly fps: number;
  /** Refuses UDP with 461. */
  readonly tcpOnly?: boolean;
  /** Sound tracks, a tone each, described before and after the video. */
  readonly audio?: { readonly before?: readonly Sound[]; readonly after?: readonly Sound[] };
}

export type Sound = 'pcma' | 'pcmu';

export interface RtspServerOptions {
  /** By path, beginning with a slash. */
  readonly mounts: Readonly<Record<string, RtspMount>>;
  /** With a user name the server asks for it. Any characters but a colon in the name (RFC 7617); ffmpeg does not escape `"` and `\\` for digest. */
  readonly username?: string;
  readonly password?: string;
  /** What it offers; both by default, and ffmpeg then takes digest. */
  readonly authentication?: readonly ('basic' | 'digest')[];
  /** rtsps, with a certificate made at start. */
  readonly tls?: boolean;
  /** Any free one by default; give the old one to bring a killed camera back. */
  readonly port?: number;
  /** Called for every picture, when its last packet is about to be sent to those who watch. */
  readonly onSent?: (picture: SentPicture) => void;
}

export interface SentPicture {
  /** The mount's path. */
  readonly sent: string;
  /** Number of the picture in the clip, from 0. */
  readonly picture: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

export type RtspCommand =
  /** Connections stay open, media stops; persists for later clients until `resume`. */
  | { readonly command: 'silence' | 'resume'; readonly path: string }
  /** Closes all connections. */
  | { readonly command: 'disconnect' }
  | { readonly command: 'clients' };

export interface RtspServer {
  readonly port: number;
  readonly pid: number;
  /** Without credentials unless asked for. */
  url(path: string, withCredentials?: boolean): string;
  /** Resolves when the server has obeyed. Throws when it refuses or has ended. */
  send(command: RtspCommand): Promise<void>;
  /** Connections open at this moment. */
  clients(): Promise<number>;
  /** SIGKILL, and waits for the exit. */
  kill(): Promise<void>;
  /** SIGTERM, SIGKILL if that is ignored, and waits for the exit. Calling it again does nothing. */
  stop(): Promise<void>;
}

/** Starts one and waits until it listens. Throws with the program's stderr when it ends before, or after 20 s. */
export async function startRtspServer(options: RtspServerOptions): Promise<RtspServer> {
  const program = await spawnOwned(PYTHON, ['-u', PROGRAM]);
  const { onSent } = options;
  const dialogue = new Dialogue(program, onSent);
  const port = await ready(program, dialogue.ask({ ...options, tellSent: onSent !== undefined }));
  const ask = async (command: RtspCommand): Promise<number> => number(await dialogue.ask(command), 'clients');
  return {
    port,
    pid: program.pid,
    url: (path, withCredentials = false) =>
      `${options.tls === true ? 'rtsps' : 'rtsp'}://${withCredentials ? userInfo(options) : ''}127.0.0.1:${port}${path}`,
    send: async (command) => {
      await ask(command);
    },
    clients: () => ask({ command: 'clients' }),
    kill: async () => {
      program.signal('SIGKILL');
      await program.exited;
    },
    stop: async () => {
      await program.end();
    },
  };
}

/** Lines of JSON out, lines of JSON back, in order. */
class Dialogue {
  readonly #program: OwnedProcess;
  readonly #waiting: { resolve: (answer: unknown) => void; reject: (fault: Error) => void }[] = [];

  constructor(program: OwnedProcess, onSent: RtspServerOptions['onSent']) {
    this.#program = program;
    createInterface({ input: program.stdout }).on('line', (line) => {
      const record = JSON.parse(line) as object;
      if ('sent' in record) onSent?.(record as SentPicture);
      else this.#waiting.shift()?.resolve(record);
    });
    void program.exited.then(() => {
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended());
    });
  }

  ask(message: object): Promise<unknown> {
    if (this.#program.exit() !== undefined) return Promise.reject(this.#ended());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#program.stdin.write(`${JSON.stringify(message)}\n`);
    });
  }

  #ended(): Error {
    const { pid } = this.#program;
    const exit = JSON.stringify(this.#program.exit());
    return new Error(`rtsp server (pid ${pid}) has ended with ${exit}: ${this.#program.stderr()}`);
  }
}

async function ready(program: OwnedProcess, firstAnswer: Promise<unknown>): Promise<number> {
  const answer = await withDeadline(firstAnswer, READY_DEADLINE_MS);
  if (answer !== undefined) return number(answer, 'port');
  await program.end();
  throw new Error(`rtsp server: not listening after ${READY_DEADLINE_MS} ms: ${program.stderr()}`);
}

function number(answer: unknown, name: string): number {
  const value: unknown = (answer as Record<string, unknown>)[name];
  if (typeof value !== 'number') throw new Error(`rtsp server answered ${JSON.stringify(answer)}`);
  return value;
}

function userInfo({ username, password = '' }: RtspServerOptions): string {
  if (username === undefined) return '';
  return `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
}
