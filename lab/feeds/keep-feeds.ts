/** Cameras go on without clients. The test server ends a feed with its last client, and starts again with a keyframe. */
import { setTimeout as delay } from 'node:timers/promises';
import { spawnOwned, type OwnedProcess } from '../process';

/** Distance of the clips' keyframes. */
const KEYFRAME_INTERVAL_MS = 1000;

/**
 * Gives each feed a client that stays, so that whoever comes later meets it anywhere between two keyframes. They
 * begin one after the other: their keyframes are spread over the second, like those of unrelated cameras.
 */
export async function keepFeeds(urls: readonly string[]): Promise<OwnedProcess[]> {
  const keepers: OwnedProcess[] = [];
  for (const url of urls) {
    const args = ['-nostdin', '-v', 'error', '-rtsp_transport', 'tcp', '-i', url];
    const keeper = await spawnOwned('ffmpeg', [...args, '-c', 'copy', '-f', 'null', '-']);
    keeper.stdout.resume();
    keepers.push(keeper);
    await delay(KEYFRAME_INTERVAL_MS + KEYFRAME_INTERVAL_MS / urls.length);
  }
  return keepers;
}
