/** MJPEG over HTTP as cameras send it, with the usual wrong answers beside it. */
import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { listen } from '../loopback-server';
import { clip, CLIP_DEFAULTS, splitJpegs } from './clips';
import { pathOf, refuse, urls, type HttpFeed } from './http-feed';
import type { PictureOptions } from './live-test-picture';

const BOUNDARY = 'picture';
const MULTIPART = { 'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` };

export interface MjpegServerOptions extends PictureOptions {
  /** Asked for below /private only: `viewer` and `secret` unless given. Any characters but a colon in the name. */
  readonly username?: string;
  readonly password?: string;
  /** Any free one by default. */
  readonly port?: number;
}

export interface MjpegServer extends HttpFeed {
  /** Streams being sent at this moment, the silent ones too. */
  clients(): number;
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
  const http = await listen(createServer(answer), options.port);
  return { ...http, url: urls(http.port, username, password), clients: () => streams.size };
}

function isAuthorised(request: IncomingMessage, username: string, password: string): boolean {
  const wanted = Buffer.from(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  const given = Buffer.from(request.headers.authorization ?? '');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
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
 * This many of the pictures; then the beginning of the last again, without a length, and zeros as fast as they are taken,
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
