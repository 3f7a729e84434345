/** Numbered pictures over HTTP: as MJPEG without an end, as one still picture for each request, and as live HLS. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HOST, listen, type Listening } from '../loopback-server';
import { run } from '../process';

const BOUNDARY = 'picture';

export interface NumberedPicture {
  readonly bytes: Buffer;
  readonly number: number;
}

export interface PictureFeed {
  /** Looped. */
  readonly pictures: readonly NumberedPicture[];
  readonly fps: number;
  readonly port?: number;
  /** Right before the last bytes of a picture are written. */
  readonly onSent?: (number: number, atMs: number) => void;
}

export interface NumberedCamera extends Listening {
  url(path: string): string;
}

/** Every connection gets the pictures from the first one on. */
export async function startMjpegCamera({
  pictures,
  fps,
  port,
  onSent,
}: PictureFeed): Promise<NumberedCamera> {
  return serve((_, response) => {
    response.writeHead(200, { 'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` });
    response.socket?.setNoDelay(true);
    const startedMs = performance.now();
    let next = 0;
    let timer: NodeJS.Timeout | undefined;
    const turn = (): void => {
      for (; performance.now() >= startedMs + (1000 * next) / fps; next++) {
        const picture = pictures[next % pictures.length];
        if (picture === undefined) return;
        onSent?.(picture.number, Date.now());
        const length = `Content-Length: ${picture.bytes.length}`;
        response.write(`--${BOUNDARY}\r\nContent-Type: image/jpeg\r\n${length}\r\n\r\n`);
        response.write(picture.bytes);
        response.write('\r\n');
      }
      timer = setTimeout(turn, Math.max(0, startedMs + (1000 * next) / fps - performance.now()));
    };
    turn();
    response.on('close', () => clearTimeout(timer));
  }, port);
}

/** Answers every request with the picture of that moment. */
export async function startStillCamera({
  pictures,
  fps,
  port,
  onSent,
}: PictureFeed): Promise<NumberedCamera> {
  const startedMs = performance.now();
  return serve((_, response) => {
    const at = Math.floor(((performance.now() - startedMs) * fps) / 1000);
    const picture = pictures[at % pictures.length];
    if (picture === undefined) return;
    onSent?.(picture.number, Date.now());
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': picture.bytes.length });
    response.end(picture.bytes);
  }, port);
}

export interface HlsFeed {
  /** A clip with a keyframe each second; where it starts again there is a discontinuity. */
  readonly file: string;
  readonly port?: number;
}

const SEGMENT_S = 2;
/** Segments in the playlist, all of them there when the camera starts. */
const WINDOW = 5;

/** Live: the window moves on. Any path but a segment's is the playlist. */
export async function startHlsCamera({ file, port }: HlsFeed): Promise<NumberedCamera> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vigil-hls-'));
  try {
    const segments = await cutSegments(file, folder);
    const startedMs = performance.now();
    const http = await serve((request, response) => {
      const [, number] = /(\d+)\.ts$/.exec(request.url ?? '') ?? [];
      if (number === undefined) {
        const first = Math.floor((performance.now() - startedMs) / 1000 / SEGMENT_S);
        send(response, 'application/vnd.apple.mpegurl', Buffer.from(playlist(first, segments.length)));
      } else send(response, 'video/mp2t', segments[Number(number) % segments.length] ?? Buffer.alloc(0));
    }, port);
    return {
      ...http,
      stop: async () => {
        await http.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (fault) {
    await rm(folder, { recursive: true, force: true });
    throw fault;
  }
}

function playlist(first: number, clipSegments: number): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${SEGMENT_S}`];
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${first}`);
  lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${Math.max(0, Math.ceil(first / clipSegments) - 1)}`);
  for (let i = first; i < first + WINDOW; i++) {
    if (i > 0 && i % clipSegments === 0) lines.push('#EXT-X-DISCONTINUITY');
    lines.push(`#EXTINF:${SEGMENT_S.toFixed(3)},`, `segment${i}.ts`);
  }
  return `${lines.join('\n')}\n`;
}

async function cutSegments(file: string, folder: string): Promise<Buffer[]> {
  const list = path.join(folder, 'clip.m3u8');
  const pattern = path.join(folder, 'clip%03d.ts');
  const cut = [
    '-f',
    'hls',
    '-hls_time',
    String(SEGMENT_S),
    '-hls_list_size',
    '0',
    '-hls_segment_filename',
    pattern,
  ];
  const { code, stderr } = await run('ffmpeg', [
    '-v',
    'error',
    '-i',
    file,
    '-map',
    '0:v',
    '-c',
    'copy',
    ...cut,
    list,
  ]);
  if (code !== 0) throw new Error(`${file} cannot be cut into segments: ${stderr}`);
  const names = (await readFile(list, 'utf8')).split('\n').filter((line) => line.endsWith('.ts'));
  return Promise.all(names.map((name) => readFile(path.join(folder, name))));
}

function send(response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, {
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  response.end(body);
}

async function serve(answer: RequestListener, port = 0): Promise<NumberedCamera> {
  const listening = await listen(createServer(answer), port);
  return { ...listening, url: (path) => `http://${HOST}:${listening.port}${path}` };
}
