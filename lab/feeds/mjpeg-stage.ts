/** An MJPEG server with the oddities of a camera, and the feed that reads it. Import it in a test file only. */
import { readFile } from 'node:fs/promises';
import { before, type TestContext } from 'node:test';
import type { CameraSpec } from '../../src/config/topology';
import { clip, splitJpegs } from './clips';
import { startHttpCamera, type Script } from './http-camera';
import { watchFeed, type WatchedFeed } from './watch-feed';

export const MULTIPART = 'multipart/x-mixed-replace; boundary=frame';

/** How a server differs from the standard; all of it is optional. */
export interface Quirk {
  readonly type?: string;
  readonly head?: (bytes: Buffer) => string;
  readonly behind?: Buffer | string;
  readonly change?: (bytes: Buffer) => Buffer;
}

export let pictures: readonly Buffer[] = [];
before(async () => {
  pictures = splitJpegs(await readFile(await clip({ codec: 'mjpeg', seconds: 2 })));
});

/** The feed of a URL, until the test ends. */
export function watch(t: TestContext, url: string, changes: Partial<CameraSpec> = {}): WatchedFeed {
  const feed = watchFeed(url, { periodMs: 200, ...changes });
  t.after(() => feed.stop());
  return feed;
}

/** The feed of a server that follows a script, until the test ends. */
export async function watchScript(t: TestContext, script: Script, changes: Partial<CameraSpec> = {}) {
  const http = await startHttpCamera(script);
  t.after(() => http.stop());
  return watch(t, http.url('/cam'), changes);
}

/** The head of a part as the standard has it. */
export const usual = (bytes: Buffer) =>
  `--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${bytes.length}\r\n\r\n`;
/** Sends JPEGs one behind the other, as a camera with a quirk does. */
export const stream =
  ({ type = MULTIPART, head = usual, behind = '\r\n', change = (bytes) => bytes }: Quirk, fps = 20): Script =>
  (_, response) => {
    response.writeHead(200, type === '' ? {} : { 'content-type': type });
    let next = 0;
    const timer = setInterval(() => {
      const bytes = change(pictures[next++ % pictures.length] ?? Buffer.alloc(0));
      response.write(Buffer.concat([Buffer.from(head(bytes)), bytes, Buffer.from(behind)]));
    }, 1000 / fps);
    response.on('close', () => clearInterval(timer));
  };
