/** A still-picture camera and the feed that reads it. Import it in a test file only. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { before, type TestContext } from 'node:test';
import type { CameraSpec } from '../../src/config/topology';
import { clip, splitJpegs } from './clips';
import { startHttpCamera, type HttpCamera, type Script } from './http-camera';
import { watchFeed, type WatchedFeed } from './watch-feed';

export const USER = { username: 'admin', password: 'p:@ß/?' };
export const USER_INFO = `${USER.username}:${encodeURIComponent(USER.password)}`;

let pictures: readonly Buffer[] = [];
before(async () => {
  pictures = splitJpegs(await readFile(await clip({ codec: 'mjpeg', seconds: 2 })));
});

/** A different one for each number. */
export const picture = (number: number) => pictures[number % pictures.length] ?? Buffer.alloc(0);
export const send = (response: ServerResponse, bytes: Buffer, headers: Record<string, string> = {}) => {
  response
    .writeHead(200, { 'content-type': 'image/jpeg', 'content-length': String(bytes.length), ...headers })
    .end(bytes);
};
/** A camera that does as it should. */
export const sound: Script = (_, response, number) => send(response, picture(number));

/** Gone when the test ends. */
export async function camera(t: TestContext, script: Script): Promise<HttpCamera> {
  const started = await startHttpCamera(script);
  t.after(() => started.stop());
  return started;
}

export function watch(
  t: TestContext,
  url: string,
  changes: Partial<CameraSpec> = {},
  anyHost = false,
): WatchedFeed {
  const feed = watchFeed(
    { kind: 'still', url, ...(anyHost ? { anyHost } : {}) },
    { periodMs: 200, ...changes },
  );
  t.after(() => feed.stop());
  return feed;
}

/** The fault of a camera that gives no picture; no text names what is secret in its URL. */
export async function faultOf(t: TestContext, script: Script, changes: Partial<CameraSpec> = {}) {
  const http = await camera(t, script);
  const feed = watch(t, http.url('/secret-path?password=hush', USER_INFO), changes);
  const fault = await feed.fault();
  assert.deepEqual(feed.pictures, []);
  assert.match(fault.message, /^http:\/\/127\.0\.0\.1:\d+\/secret-path\?… /);
  assert.doesNotMatch(fault.message, /hush|admin|ß|%C3|\n/);
  return fault;
}
