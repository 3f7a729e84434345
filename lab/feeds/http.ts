/** Real HTTP feeds for tests: MJPEG as cameras send it, with the usual wrong answers beside it, and live HLS. */
import { timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { spawnOwned, waitUntil, type OwnedProcess } from '../process';
import { clip, CLIP_DEFAULTS, splitJpegs } from './clips';

const HOST = '127.0.0.1';
const BOUNDARY = 'picture';
const MULTIPART = { 'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` };

export interface PictureOptions {
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
}

export interface MjpegServerOptions extends PictureOptions {
  /** Asked for below /private only: `viewer` and `secret` unless given. Any characters but a colon in the name. */
  readonly username?: string;
  readonly password?: string;
  /** Any free one by default. */
  readonly port?: number;
}

export interface HttpFeed {
  readonly port: number;
  /** Without credentials unless asked for. */
  url(path: string, withCredentials?: boolean): string;
  /** Closes all connections, ends what was started, removes what was written. */
  stop(): Promise<void>;
}

export interface MjpegServer extends HttpFeed {
  /** Streams being sent at this moment, the silent ones too. */
  clients(): number;
}

export interface HlsServer extends HttpFeed {
  /** ffmpeg's. */
  readonly pid: number;
}

/**
 * multipart/x-mixed-replace of real JPEGs on every path but these: `/404`; `/html`, a page; `/silent`, a stream's
 * headers and then nothing; `/private/...`, a stream behind Basic authentication; `/giants`, a stream whose every third
 * picture says in its header that it has 20,000x20,000 pixels; `/endless`, a stream whose first client gets sound
 * pictures and then one that never ends; `/endless/always`, a stream whose only picture never ends.
 */
export async function startMjpegServer(options: MjpegServerOptions = {}): Promise<MjpegServer> {
  const { width, height, fps, username = 'viewer', password = 'secret' } = { ...CLIP_DEFAULTS, ...options };
  const pictures = splitJpegs(await readFile(await clip({ codec: 'mjpeg', width, height, fps, seconds: 2 })));
  const streams = new Set<ServerResponse>();
  const giants = pictures.flatMap((picture) => [picture, picture, ofSize(picture, 20_000, 20_000)]);
  let isEndless = true;
  const begin = (response: ServerResponse): void => {
    streams.add(response.on('close', () => streams.delete(response)));
    response.writeHead(200, MULTIPART).flushHeaders();
  };
  const stream = (response: ServerResponse, sent: readonly Buffer[]): void => {
    begin(response);
    sendPictures(response, sent, 1000 / fps);
  };

  const answer: RequestListener = (request, response) => {
    const path = pathOf(request);
    if (path === '/404') refuse(response, 404);
    else if (path === '/html') sendPage(response);
    else if (path === '/silent') begin(response);
    else if (path === '/giants') stream(response, giants);
    else if (path === '/endless' && isEndless) {
      begin(response);
      // One that only looked at what kind of stream it is has not had it.
      let mebibytes = 0;
      response.on('drain', () => (isEndless &&= ++mebibytes < 10));
      sendEndless(response, pictures);
    } else if (path === '/endless/always') {
      begin(response);
      sendEndless(response, pictures.slice(0, 1), 0);
    } else if (path.startsWith('/private/') && !isAuthorised(request, username, password))
      refuse(response, 401);
    else stream(response, pictures);
  };
  const http = await listen(answer, options.port);
  return { ...http, url: urls(http.port, username, password), clients: () => streams.size };
}

/** Live HLS of ffmpeg's test picture, segments of one second, the last five kept; url('/cam.m3u8'). Resolves when it can be played. */
export async function startHlsServer(
  options: PictureOptions & { readonly port?: number } = {},
): Promise<HlsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-hls-'));
  const playlist = join(folder, 'cam.m3u8');
  const ffmpeg = await spawnOwned('ffmpeg', hlsArguments(playlist, { ...CLIP_DEFAULTS, ...options }));
  ffmpeg.stdout.resume();
  const cleanUp = async (): Promise<void> => {
    await ffmpeg.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitUntil('HLS playlist with a segment', () => isPlayable(playlist, ffmpeg));
    const http = await listen(
      (request, response) => sendFile(response, join(folder, basename(pathOf(request)))),
      options.port,
    );
    const stop = async (): Promise<void> => {
      await http.stop();
      await cleanUp();
    };
    return { port: http.port, url: urls(http.port), pid: ffmpeg.pid, stop };
  } catch (fault) {
    await cleanUp();
    throw fault;
  }
}

/** A test picture encoded in real time, one keyframe a second: the input and encoder half of ffmpeg's arguments. */
export function liveTestPicture({ width, height, fps }: Required<PictureOptions>): string[] {
  const source = `testsrc2=size=${width}x${height}:rate=${fps}`;
  const input = ['-nostdin', '-v', 'error', '-re', '-f', 'lavfi', '-i', source];
  const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'];
  return [...input, ...encoder, '-g', String(fps), '-keyint_min', String(fps)];
}

function hlsArguments(playlist: string, pictures: Required<PictureOptions>): string[] {
  const flags = ['-hls_flags', 'delete_segments+temp_file'];
  return [
    ...liveTestPicture(pictures),
    '-f',
    'hls',
    '-hls_time',
    '1',
    '-hls_list_size',
    '5',
    ...flags,
    playlist,
  ];
}

async function isPlayable(playlist: string, ffmpeg: OwnedProcess): Promise<boolean> {
  if (ffmpeg.exit() !== undefined) throw new Error(`ffmpeg writing HLS has ended: ${ffmpeg.stderr()}`);
  return (await readFile(playlist, 'utf8').catch(() => '')).includes('#EXTINF');
}

async function listen(answer: RequestListener, port = 0): Promise<Omit<HttpFeed, 'url'>> {
  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, stop };
}

function urls(port: number, username = '', password = ''): HttpFeed['url'] {
  const userInfo = username === '' ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  return (path, withCredentials = false) => `http://${withCredentials ? userInfo : ''}${HOST}:${port}${path}`;
}

function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? '/', 'http://feed').pathname;
}

function isAuthorised(request: IncomingMessage, username: string, password: string): boolean {
  const wanted = Buffer.from(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  const given = Buffer.from(request.headers.authorization ?? '');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function refuse(response: ServerResponse, status: 401 | 404): void {
  if (status === 401) response.setHeader('www-authenticate', 'Basic realm="camera"');
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${status}\n`);
}

function sendPage(response: ServerResponse): void {
  const page = '<!doctype html><title>Camera</title><p>Please log in.</p>\n';
  response.writeHead(200, { 'content-type': 'text/html' }).end(page);
}

/** One picture per period, none while the client is slow to take the last one, until the connection closes. */
function sendPictures(response: ServerResponse, pictures: readonly Buffer[], periodMs: number): void {
  let next = 0;
  const sendNext = (): void => {
    const picture = pictures[next++ % pictures.length];
    if (picture === undefined || response.writableNeedDrain) return;
    response.write(partOf(picture));
  };
  sendNext();
  const timer = setInterval(sendNext, periodMs);
  response.on('close', () => clearInterval(timer));
}

/** The picture with another size in its header and nothing else changed. */
function ofSize(picture: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(picture);
  const frameHeader = changed.indexOf(Buffer.from([0xff, 0xc0]));
  changed.writeUInt16BE(height, frameHeader + 5);
  changed.writeUInt16BE(width, frameHeader + 7);
  return changed;
}

/**
 * So many of the pictures; then the beginning of the last again, without a length, and zeros as fast as they are taken,
 * until the connection closes.
 */
function sendEndless(
  response: ServerResponse,
  pictures: readonly Buffer[],
  sound: number = pictures.length,
): void {
  for (const picture of pictures.slice(0, sound)) response.write(partOf(picture));
  const last = pictures.at(-1) ?? Buffer.alloc(0);
  response.write(`--${BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n`);
  response.write(last.subarray(0, last.length / 2));
  const zeros = Buffer.alloc(1024 * 1024);
  const sendMore = (): void => {
    while (!response.destroyed && response.write(zeros));
  };
  response.on('drain', sendMore);
  sendMore();
}

function partOf(picture: Buffer): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), picture, Buffer.from('\r\n')]);
}

function sendFile(response: ServerResponse, path: string): void {
  const isPlaylist = extname(path) === '.m3u8';
  const headers = {
    'content-type': isPlaylist ? 'application/vnd.apple.mpegurl' : 'video/mp2t',
    'cache-control': 'no-store',
  };
  const file = createReadStream(path);
  file.once('open', () => file.pipe(response.writeHead(200, headers)));
  file.once('error', () => {
    if (response.headersSent) response.destroy();
    else refuse(response, 404);
  });
}
