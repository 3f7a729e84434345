/** A real RTMP feed for tests: ffmpeg listening, one client at a time, started again when the client leaves. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { spawnOwned, waitUntil, type OwnedProcess } from '../process';
import { CLIP_DEFAULTS } from './clips';
import { liveTestPicture, type PictureOptions } from './live-test-picture';
import { freePort } from '../free-port';

/** State of a listening socket in /proc/net/tcp (TCP_LISTEN in the kernel's tcp_states.h). */
const LISTEN = '0A';
/** Loopback in /proc/net/tcp: the address in host byte order. */
const LOOPBACK = '0100007F';

export interface RtmpServer {
  readonly port: number;
  readonly url: string;
  /** Pid of the ffmpeg of this moment: a new one for each client. */
  pid(): number;
  /** Resolves when a client can connect: at once, or after the present client has left. */
  listening(): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves when a client can connect. While one is connected, a second one is refused. */
export async function startRtmpServer(
  options: PictureOptions & { readonly port?: number } = {},
): Promise<RtmpServer> {
  const port = options.port ?? (await freePort());
  const url = `rtmp://127.0.0.1:${port}/live/cam`;
  const serve = (): Promise<OwnedProcess> => serveOneClient(url, { ...CLIP_DEFAULTS, ...options });
  let ffmpeg = await serve();
  await untilListening(ffmpeg, port);

  const stop = new AbortController();
  const isStopping = (): boolean => stop.signal.aborted;
  const serving = (async () => {
    while (!isStopping()) {
      await ffmpeg.exited;
      if (!isStopping()) ffmpeg = await serve();
    }
    await ffmpeg.end(); // the one that was just being started when stop() came
  })();
  return {
    port,
    url,
    pid: () => ffmpeg.pid,
    listening: () => waitUntil(`ffmpeg listens on ${port}`, () => listensOn(ffmpeg.pid, port)),
    stop: async () => {
      stop.abort();
      await ffmpeg.end();
      await serving;
    },
  };
}

async function serveOneClient(url: string, pictures: Required<PictureOptions>): Promise<OwnedProcess> {
  const ffmpeg = await spawnOwned('ffmpeg', [...liveTestPicture(pictures), '-f', 'flv', '-listen', '1', url]);
  ffmpeg.stdout.resume();
  return ffmpeg;
}

/** Resolves when ffmpeg listens on the port; ends it when it does not. */
export async function untilListening(ffmpeg: OwnedProcess, port: number): Promise<void> {
  try {
    await waitUntil(`ffmpeg listens on ${port}`, () => {
      if (ffmpeg.exit() !== undefined) throw new Error(`ffmpeg serving RTMP has ended: ${ffmpeg.stderr()}`);
      return listensOn(ffmpeg.pid, port);
    });
  } catch (fault) {
    await ffmpeg.end();
    throw fault;
  }
}

/** Read from /proc, because connecting to find out would be the one client that ffmpeg serves. */
async function listensOn(pid: number, port: number): Promise<boolean> {
  const address = `${LOOPBACK}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = (await readFile('/proc/net/tcp', 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const socket = sockets.find(([, local, , state]) => local === address && state === LISTEN);
  const inode = socket?.[9];
  return inode !== undefined && (await openFiles(pid)).includes(`socket:[${inode}]`);
}

async function openFiles(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const numbers = await readdir(folder).catch(() => []);
  return Promise.all(numbers.map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
}
