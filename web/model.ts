/** The state of the page: the daemon, its cameras, the connection. Changes are announced by topic. */
import type { ApiCamera, ApiLedger, ApiState } from '../src/actors/web/view/api';
import { coverage } from './coverage.js';
import { Topics } from './topics.js';

/** The connection to Vigil. Times are the browser's. */
export type Link =
  | { readonly name: 'connecting' }
  | { readonly name: 'live' }
  | { readonly name: 'lost'; readonly since: number; readonly why: string }
  | { readonly name: 'signed-out'; readonly why?: string };

/** A smaller difference between the clocks of browser and server counts as none: HTTP has whole seconds only. */
const CLOCK_TOLERANCE_MS = 2000;

export const topic = {
  /** Which cameras there are, their conditions and tags. */
  wall: 'wall',
  state: 'state',
  link: 'link',
  route: 'route',
  ledger: 'ledger',
  /** Once a second. */
  tick: 'tick',
  camera: (id: string) => `camera ${id}`,
  picture: (id: string) => `picture ${id}`,
} as const;

export class Model {
  readonly topics = new Topics();
  readonly cameras = new Map<string, ApiCamera>();
  state?: ApiState;
  link: Link = { name: 'connecting' };
  /** Whether the cameras have been received at least once. */
  known = false;
  /** When what is shown was true, by the browser's clock. */
  heardAt?: number;
  /** When the connection came back, and whether to a daemon that had started meanwhile. */
  back?: { readonly at: number; readonly restarted: boolean };
  /** The last hour of every camera. */
  hour: ApiLedger = { from: 0, to: 0, bucketMs: 60_000, cameras: {} };
  /** Share of that hour that was delivered. */
  shares: ReadonlyMap<string, number> = new Map();
  #clockOffsetMs = 0;

  /** The server's present: all times of the API are of its clock. */
  now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  /** How far the server's clock is ahead of the browser's; 0 if the difference may be network delay. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** @param serverTime of an answer's Date header, which cuts the milliseconds off */
  heardClock(serverTime: number | undefined): void {
    if (serverTime === undefined) return;
    const offset = serverTime + 500 - Date.now();
    this.#clockOffsetMs = Math.abs(offset) < CLOCK_TOLERANCE_MS ? 0 : offset;
  }

  setLink(link: Link): void {
    this.link = link;
    this.topics.announce(topic.link);
  }

  setState(state: ApiState): void {
    this.state = state;
    this.topics.announce(topic.state);
  }

  setCamera(camera: ApiCamera): void {
    const before = this.cameras.get(camera.id);
    this.cameras.set(camera.id, withNewerPicture(camera, before));
    this.topics.announce(topic.camera(camera.id));
    if (before?.picture?.capturedAt !== camera.picture?.capturedAt)
      this.topics.announce(topic.picture(camera.id));
    if (before === undefined || !sortsAlike(before, camera)) this.topics.announce(topic.wall);
  }

  removeCamera(id: string): void {
    if (!this.cameras.delete(id)) return;
    this.topics.announce(topic.camera(id));
    this.topics.announce(topic.wall);
  }

  /** All cameras there are. */
  setCameras(cameras: readonly ApiCamera[]): void {
    const ids = new Set(cameras.map(({ id }) => id));
    for (const id of [...this.cameras.keys()]) if (!ids.has(id)) this.removeCamera(id);
    for (const camera of cameras) this.setCamera(camera);
    this.known = true;
    this.topics.announce(topic.wall);
  }

  setPicture(id: string, capturedAt: number): void {
    const camera = this.cameras.get(id);
    if (camera === undefined || (camera.picture?.capturedAt ?? 0) >= capturedAt) return;
    const { width = 0, height = 0, format = '' } = camera.picture ?? {};
    this.cameras.set(id, { ...camera, picture: { capturedAt, width, height, format } });
    this.topics.announce(topic.picture(id));
  }

  setHour(hour: ApiLedger): void {
    this.hour = hour;
    const shares = Object.entries(hour.cameras).map(([id, buckets]) => [id, coverage(buckets)] as const);
    this.shares = new Map(shares.flatMap(([id, share]) => (share === undefined ? [] : [[id, share]])));
    this.topics.announce(topic.ledger);
  }
}

/** A picture event may have overtaken the camera's own. */
function withNewerPicture(camera: ApiCamera, before: ApiCamera | undefined): ApiCamera {
  const [old, now] = [before?.picture, camera.picture];
  if (old === undefined || now === undefined || old.capturedAt <= now.capturedAt) return camera;
  return { ...camera, picture: { ...now, capturedAt: old.capturedAt } };
}

function sortsAlike(a: ApiCamera, b: ApiCamera): boolean {
  return (
    a.condition === b.condition &&
    a.fault?.message === b.fault?.message &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag, place) => tag === b.tags[place])
  );
}
