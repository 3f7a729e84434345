/**
 * Live HLS as cameras and media servers send it, with its faults: a window that slides over clips by the
 * clock. The segments are ffmpeg's, the playlist is written here.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { HOST, listen, type Listening } from '../loopback-server';
import type { LiveHlsOptions } from './hls-options';
import { playlistOf } from './hls-playlist';
import { HlsSegments } from './hls-segments';

export interface LiveHls extends Listening {
  url(path?: string): string;
  /** Paths asked for, with their queries. */
  readonly requests: string[];
  /** Nothing new is listed from now on. */
  freeze(): void;
  thaw(): void;
  /** The playlist is closed. */
  end(): void;
  /** Segments that are complete. */
  made(): number;
  /** The playlist, as served now. */
  playlist(base?: string): string;
}

/** On `/live.m3u8`, `/play` and wherever a name ends so; anything below another folder is the same there. */
export async function startLiveHls(options: LiveHlsOptions): Promise<LiveHls> {
  const live = new LiveFeed(options);
  const server = createServer((request, response) => live.answer(request, response));
  const listening = await listen(server, options.port);
  return {
    ...listening,
    url: (path = '/live.m3u8') => `http://${HOST}:${listening.port}${path}`,
    requests: live.requests,
    freeze: () => live.freeze(),
    thaw: () => live.thaw(),
    end: () => live.end(),
    made: () => live.made(),
    playlist: (base) => live.playlist(base),
  };
}

class LiveFeed {
  readonly requests: string[] = [];
  readonly #segments: HlsSegments;
  readonly #startedMs: number;
  #frozenAt: number | undefined;
  #ended = false;
  #token = 0;

  constructor(private readonly options: LiveHlsOptions) {
    this.#segments = new HlsSegments(options);
    this.#startedMs = performance.now() - (options.existing ?? 4) * this.#segments.segmentMs;
  }

  freeze(): void {
    this.#frozenAt ??= this.made();
  }

  thaw(): void {
    this.#frozenAt = undefined;
  }

  end(): void {
    this.freeze();
    this.#ended = true;
  }

  made(): number {
    if (this.#frozenAt !== undefined) return this.#frozenAt;
    const { segmentMs } = this.#segments;
    const elapsedMs = performance.now() - this.#startedMs;
    let n = Math.floor(elapsedMs / segmentMs);
    while (n > 0 && elapsedMs < n * segmentMs + (this.options.lateMs?.(n - 1) ?? 0)) n--;
    return n;
  }

  playlist(base = ''): string {
    const made = this.made();
    if (this.options.hasTokens === true) this.#token++;
    const state = { made, isEnded: this.#ended, token: this.#token, base };
    return playlistOf(this.options, this.#segments, state);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    this.requests.push(url);
    const [path = '', query = ''] = url.split('?', 2);
    if (this.options.answer?.(path, request, response) === true) return;
    const base = path.slice(0, path.lastIndexOf('/'));
    const name = path.slice(base.length + 1);
    const number = Number(/\d+/.exec(name)?.[0]);
    if (/\.m3u8$|^play/.test(name))
      send(response, this.playlist(base), this.options.contentType ?? 'application/vnd.apple.mpegurl');
    else if (name.startsWith('key')) send(response, this.#segments.key(number, this.made()));
    else if (name.startsWith('head')) send(response, this.options.clips[number]?.head);
    else if (this.options.hasTokens === true && query !== `token=${this.#token}`)
      send(response, undefined, '', 403);
    else if (name.startsWith('ten')) sendRange(request, response, this.#segments.shared(number));
    else if (name.startsWith('n') && this.#isThere(number))
      send(response, this.#segments.sent(number, this.made()));
    else send(response, undefined);
  }

  /** Complete, and not long out of the window. */
  #isThere(number: number): boolean {
    return number < this.made() && number >= this.made() - (this.options.window ?? 3) - 2;
  }
}

function sendRange(request: IncomingMessage, response: ServerResponse, all: Buffer): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined || last === undefined) send(response, all);
  else send(response, all.subarray(Number(first), Number(last) + 1), 'video/mp2t', 206);
}

function send(
  response: ServerResponse,
  body: Buffer | string | undefined,
  type = 'video/mp2t',
  status = 200,
): void {
  if (body === undefined)
    response.writeHead(status === 200 ? 404 : status, { 'content-type': 'text/plain' }).end('no\n');
  else
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
