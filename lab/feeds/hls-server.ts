/** Live HLS of ffmpeg's own segmenter over HTTP. */
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { listen } from '../loopback-server';
import { spawnOwned, waitUntil, type OwnedProcess } from '../process';
import { CLIP_DEFAULTS } from './clips';
import { pathOf, refuse, urls, type HttpFeed } from './http-feed';
import { liveTestPicture, type PictureOptions } from './live-test-picture';

export interface HlsServer extends HttpFeed {
  /** ffmpeg's. */
  readonly pid: number;
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
    const server = createServer((request, response) =>
      sendFile(response, join(folder, basename(pathOf(request)))),
    );
    const http = await listen(server, options.port);
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
