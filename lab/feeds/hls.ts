/**
 * Live HLS as cameras and media servers send it, with what goes wrong in it: a window that slides over clips by the
 * clock. The segments are ffmpeg's, the playlist is written here.
 */
import { createCipheriv } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process';

export interface HlsClipOptions {
  readonly container?: 'mpegts' | 'fmp4';
  readonly codec?: 'libx264' | 'libx265';
  readonly size?: string;
  readonly fps?: number;
  readonly seconds?: number;
  readonly segmentS?: number;
  /** Distance of keyframes; segments are cut without regard to them when it is longer. */
  readonly keyframeS?: number;
  readonly bFrames?: number;
  readonly audio?: boolean;
  /** Nothing but sound. */
  readonly audioOnly?: boolean;
}

export interface HlsClip {
  /** What fragmented MP4 begins with. */
  readonly head?: Buffer;
  readonly segments: readonly Buffer[];
  readonly segmentMs: number;
}

/** ffmpeg's test picture in segments. */
export async function hlsClip(options: HlsClipOptions = {}): Promise<HlsClip> {
  const { container = 'mpegts', codec = 'libx264', size = '320x180', fps = 10, seconds = 12 } = options;
  const { segmentS = 1, keyframeS = 1, bFrames = 0, audio = false, audioOnly = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'vigil-hls-clip-'));
  const gop = String(Math.round(keyframeS * fps));
  const video = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}`];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440'];
  const encoded =
    codec === 'libx264'
      ? ['-preset', 'ultrafast', '-bf', String(bFrames), '-sc_threshold', '0']
      : [
          '-preset',
          'ultrafast',
          '-tag:v',
          'hvc1',
          '-x265-params',
          `log-level=none:scenecut=0:bframes=${bFrames}`,
        ];
  try {
    const { code, stderr } = await run('ffmpeg', [
      ...['-nostdin', '-v', 'error', ...(audioOnly ? [] : video), ...(audio || audioOnly ? sound : [])],
      ...(audioOnly ? [] : ['-c:v', codec, ...encoded, '-pix_fmt', 'yuv420p', '-g', gop, '-keyint_min', gop]),
      ...(audio || audioOnly ? ['-c:a', 'aac'] : []),
      ...['-t', String(seconds), '-f', 'hls', '-hls_time', String(segmentS), '-hls_list_size', '0'],
      ...(keyframeS > segmentS ? ['-hls_flags', 'split_by_time'] : []),
      ...(container === 'fmp4' ? ['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'head.mp4'] : []),
      ...[
        '-hls_segment_filename',
        join(folder, `s%04d.${container === 'fmp4' ? 'm4s' : 'ts'}`),
        join(folder, 'list.m3u8'),
      ],
    ]);
    if (code !== 0) throw new Error(`no clip: ${stderr}`);
    const names = (await readdir(folder)).filter((name) => name.startsWith('s')).sort();
    const segments = await Promise.all(names.map((name) => readFile(join(folder, name))));
    const head = container === 'fmp4' ? await readFile(join(folder, 'head.mp4')) : undefined;
    return { segments, segmentMs: segmentS * 1000, ...(head === undefined ? {} : { head }) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface LiveHlsOptions {
  /** Played one after the other, for ever; each begins with a discontinuity. */
  readonly clips: readonly HlsClip[];
  /** Segments listed. */
  readonly window?: number;
  /** Segments that are there when it begins. */
  readonly existing?: number;
  readonly port?: number;
  /** Where clips follow each other nothing is said of it. */
  readonly isSilentAboutDiscontinuities?: boolean;
  /** AES-128: a key for each three segments, each under a name of its own or all under one. */
  readonly keys?: 'each-its-own' | 'one-name';
  /** Without one the sequence number is the vector. */
  readonly hasVector?: boolean;
  /** Segments are parts of a file each ten share. */
  readonly hasByteRanges?: boolean;
  /** All are refused that do not have the newest playlist's token. */
  readonly hasTokens?: boolean;
  /** MEDIA-SEQUENCE always says 0. */
  readonly doesNotCount?: boolean;
  /** Partial segments and preload hints. */
  readonly isLowLatency?: boolean;
  readonly contentType?: string;
  /** Lines of its own for segment n. */
  readonly tags?: (n: number) => readonly string[];
  /** By how much its clock runs faster than ours. */
  readonly speed?: number;
  /** Of each segment, milliseconds by which it is listed late. */
  readonly lateMs?: (n: number) => number;
  /** Answers instead; undefined leaves it to the server. */
  readonly answer?: (path: string, request: IncomingMessage, response: ServerResponse) => true | undefined;
}

export interface LiveHls {
  readonly port: number;
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
  stop(): Promise<void>;
}

/** On `/live.m3u8`, `/play` and wherever a name ends so; anything below another folder is the same there. */
export async function startLiveHls(options: LiveHlsOptions): Promise<LiveHls> {
  const live = new Server(options);
  await live.listen(options.port ?? 0);
  return live;
}

class Server implements LiveHls {
  readonly requests: string[] = [];
  readonly #order: { readonly clip: HlsClip; readonly bytes: Buffer; readonly begins: boolean }[];
  readonly #segmentMs: number;
  readonly #startedMs: number;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #frozenAt: number | undefined;
  #ended = false;
  #token = 0;

  constructor(private readonly options: LiveHlsOptions) {
    this.#order = options.clips.flatMap((clip) =>
      clip.segments.map((bytes, n) => ({ clip, bytes, begins: n === 0 })),
    );
    this.#segmentMs = (options.clips[0]?.segmentMs ?? 1000) / (options.speed ?? 1);
    this.#startedMs = performance.now() - (options.existing ?? 4) * this.#segmentMs;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  }

  url(path = '/live.m3u8'): string {
    return `http://127.0.0.1:${this.port}${path}`;
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
    const elapsedMs = performance.now() - this.#startedMs;
    let n = Math.floor(elapsedMs / this.#segmentMs);
    while (n > 0 && elapsedMs < n * this.#segmentMs + (this.options.lateMs?.(n - 1) ?? 0)) n--;
    return n;
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  playlist(base = ''): string {
    const { window = 3, doesNotCount, isLowLatency, tags, isSilentAboutDiscontinuities } = this.options;
    const last = this.made();
    const first = Math.max(0, last - window);
    const seconds = (this.#segmentMs / 1000).toFixed(3);
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      `#EXT-X-TARGETDURATION:${Math.ceil(this.#segmentMs / 1000)}`,
      `#EXT-X-MEDIA-SEQUENCE:${doesNotCount === true ? '0' : String(first)}`,
      ...(isLowLatency === true
        ? [
            '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0',
            '#EXT-X-PART-INF:PART-TARGET=0.33',
          ]
        : []),
    ];
    if (this.options.hasTokens === true) this.#token++;
    let head: Buffer | undefined;
    for (let n = first; n < last; n++) {
      const { clip, begins } = this.#at(n);
      if (begins && isSilentAboutDiscontinuities !== true) lines.push('#EXT-X-DISCONTINUITY');
      if (clip.head !== undefined && clip.head !== head)
        lines.push(`#EXT-X-MAP:URI="${base}/head${this.options.clips.indexOf(clip)}.mp4"`);
      head = clip.head;
      lines.push(...this.#keyLines(n), ...(tags?.(n) ?? []));
      if (isLowLatency === true)
        for (let part = 0; part < 3; part++)
          lines.push(`#EXT-X-PART:DURATION=0.333,URI="${base}/part${n}.${part}.mp4"`);
      lines.push(`#EXTINF:${seconds},`, ...this.#segmentLines(n, base));
    }
    if (isLowLatency === true)
      lines.push(
        `#EXT-X-PART:DURATION=0.333,URI="${base}/part${last}.0.mp4",INDEPENDENT=YES`,
        `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${base}/part${last}.1.mp4"`,
      );
    if (this.#ended) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  #at(n: number): { readonly clip: HlsClip; readonly bytes: Buffer; readonly begins: boolean } {
    const found = this.#order[n % this.#order.length];
    if (found === undefined) throw new Error('no clips');
    return found;
  }

  #keyLines(n: number): string[] {
    const { keys, hasVector } = this.options;
    if (keys === undefined) return [];
    const uri = keys === 'one-name' ? '/key' : `/key${Math.floor(n / 3)}`;
    return [
      `#EXT-X-KEY:METHOD=AES-128,URI="${uri}"${hasVector === true ? `,IV=0x${vector(n + 7).toString('hex')}` : ''}`,
    ];
  }

  #segmentLines(n: number, base: string): string[] {
    const { hasByteRanges, hasTokens } = this.options;
    const query = hasTokens === true ? `?token=${this.#token}` : '';
    if (hasByteRanges !== true) return [`${base}/n${n}${query}`];
    const from = Math.floor(n / 10) * 10;
    let offset = 0;
    for (let before = from; before < n; before++) offset += this.#at(before).bytes.length;
    return [`#EXT-X-BYTERANGE:${this.#at(n).bytes.length}@${offset}`, `${base}/ten${from}${query}`];
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    this.requests.push(url);
    const [path = '', query = ''] = url.split('?', 2);
    if (this.options.answer?.(path, request, response) === true) return;
    const base = path.slice(0, path.lastIndexOf('/'));
    const name = path.slice(base.length + 1);
    const number = Number(/\d+/.exec(name)?.[0]);
    if (/\.m3u8$|^play/.test(name))
      send(response, this.playlist(base), this.options.contentType ?? 'application/vnd.apple.mpegurl');
    else if (name.startsWith('key')) send(response, this.#key(number));
    else if (name.startsWith('head')) send(response, this.options.clips[number]?.head);
    else if (this.options.hasTokens === true && query !== `token=${this.#token}`)
      send(response, undefined, '', 403);
    else if (name.startsWith('ten')) this.#sendRange(request, response, number);
    // What slid out of the window has gone.
    else if (
      name.startsWith('n') &&
      number < this.made() &&
      number >= this.made() - (this.options.window ?? 3) - 2
    )
      send(response, this.#encrypted(number));
    else send(response, undefined);
  }

  #sendRange(request: IncomingMessage, response: ServerResponse, from: number): void {
    const all = Buffer.concat(Array.from({ length: 10 }, (_, n) => this.#at(from + n).bytes));
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (first === undefined || last === undefined) send(response, all);
    else send(response, all.subarray(Number(first), Number(last) + 1), 'video/mp2t', 206);
  }

  #key(named: number): Buffer {
    const { keys } = this.options;
    return Buffer.alloc(16, keys === 'one-name' ? Math.floor(this.made() / 3) : named);
  }

  #encrypted(n: number): Buffer {
    const { bytes } = this.#at(n);
    const { keys, hasVector } = this.options;
    if (keys === undefined) return bytes;
    const key = keys === 'one-name' ? this.#key(0) : this.#key(Math.floor(n / 3));
    const cipher = createCipheriv('aes-128-cbc', key, vector(hasVector === true ? n + 7 : n));
    return Buffer.concat([cipher.update(bytes), cipher.final()]);
  }
}

function vector(n: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(n, 12);
  return bytes;
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
