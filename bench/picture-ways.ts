/** When each numbered picture was sent, spooled and announced. */
import { watch } from 'node:fs';
import path from 'node:path';
import { parseSpoolName } from '../src/spool/names';
import { withRedis, type Listener } from '../lab/events';
import type { SentPicture } from '../lab/feeds/rtsp';
import { readNumber } from '../lab/picture-number';

/** The times of one picture on its way, milliseconds since the epoch. */
export interface Way {
  readonly camera: string;
  /** When its last packet was sent, by the number in the picture and the server's report, not by a clock of Vigil. */
  readonly sentAt: number;
  readonly capturedAt: number;
  /** When its rename into the spool was noticed. */
  readonly spooledAt: number;
  readonly receivedAt: number;
}

/** Every camera has its own mount, with the camera's name. */
export class PictureWays {
  readonly #sent = new Map<string, SentPicture[]>();
  /** By camera and capture time. */
  readonly #spooled = new Map<string, number>();

  sent(picture: SentPicture): void {
    const of = this.#sent.get(picture.sent);
    if (of === undefined) this.#sent.set(picture.sent, [picture]);
    else of.push(picture);
  }

  watchSpool(dataDir: string, cameras: readonly string[]): void {
    for (const camera of cameras)
      watch(path.join(dataDir, 'spool', camera), { persistent: false }, (_, name) => {
        const frame = parseSpoolName(camera, name ?? '');
        // A later event of the same file is its removal.
        if (frame !== undefined && !this.#spooled.has(keyOf(frame)))
          this.#spooled.set(keyOf(frame), Date.now());
      });
  }

  firstSpooledAfter(camera: string, since: number): number | undefined {
    const times = [...this.#spooled].filter(([key, at]) => key.startsWith(`${camera} `) && at > since);
    return times.length === 0 ? undefined : Math.min(...times.map(([, at]) => at));
  }

  /**
   * The ways of all pictures that were spooled and announced since then.
   * @throws if one is not in Redis, contains no number, or a number that was not sent
   */
  async of(events: Listener, since: number): Promise<Way[]> {
    const ways = new Map<string, Way>();
    await withRedis(async (redis) => {
      for (const { event, receivedAt } of events.received) {
        if (event.type !== 'vigil.frame.sampled.v1') continue;
        const { camera, capturedAt, key } = event.data;
        const spooledAt = this.#spooled.get(keyOf(event.data));
        if (spooledAt === undefined || spooledAt < since || ways.has(key)) continue;
        const picture = await redis.getBuffer(key);
        if (picture === null) throw new Error(`${key} is not in Redis`);
        const sentAt = this.#sentAt(camera, await readNumber(picture), spooledAt);
        ways.set(key, { camera, sentAt, capturedAt, spooledAt, receivedAt });
      }
    });
    return [...ways.values()];
  }

  /** The clip is longer than any picture's way, so the newest sending of its number is the right one. */
  #sentAt(camera: string, number: number, before: number): number {
    const sendings = this.#sent.get(`/${camera}`);
    const sent = sendings?.findLast(({ picture, atMs }) => picture === number && atMs <= before);
    if (sent === undefined) throw new Error(`${camera}: picture ${number} was never sent`);
    return sent.atMs;
  }
}

function keyOf({ camera, capturedAt }: { camera: string; capturedAt: number }): string {
  return `${camera} ${capturedAt}`;
}
