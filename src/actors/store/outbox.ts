/**
 * What waits for delivery, as far as the store knows: which frame goes next, and which one goes first when there is
 * no room. Pure: times are handed in, from a clock that is never set.
 */
import type { SpoolSpec } from '../../config/topology';
import type { Frame } from '../../contract/frame';

/** A frame that has waited no longer is live: it goes first, and is not called delayed. */
export const LIVE_MS = 5000;

type Replay = SpoolSpec['replay'];

export interface Waiting {
  readonly frame: Frame;
  /** When it was captured, on the clock handed in. */
  readonly bornMs: number;
}

export interface Choice extends Waiting {
  readonly delayed: boolean;
}

interface Camera {
  /** By birth, oldest first. */
  readonly waiting: Waiting[];
  /** In flight: one frame of a camera at a time, so that consumers see its frames in their order. */
  active: Waiting | undefined;
  /** Capture times of all that is here, and of what has left since the scan before the last. */
  readonly known: Set<number>;
}

export class Outbox {
  readonly #cameras = new Map<string, Camera>();
  #frames = 0;
  #bytes = 0;
  /** A listing of the spool, or a camera's hint, may be older than a frame's end: it stays known for a while. */
  #left: Frame[] = [];
  #leftBefore: Frame[] = [];

  /** Frames that wait or are in flight. */
  get frames(): number {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False when the frame is known already. */
  add(frame: Frame, bornMs: number): boolean {
    const camera = this.#camera(frame.camera);
    if (camera.known.has(frame.capturedAt)) return false;
    camera.known.add(frame.capturedAt);
    this.#frames++;
    this.#bytes += frame.bytes;
    insert(camera.waiting, { frame, bornMs }, false);
    return true;
  }

  /** Makes a frame known that does not wait: it is delivered, and its file is still there. */
  know(frame: Frame): boolean {
    const { known } = this.#camera(frame.camera);
    if (known.has(frame.capturedAt)) return false;
    known.add(frame.capturedAt);
    return true;
  }

  /** The live frame that has waited longest and whose camera has none in flight; it is in flight then. */
  takeLive(nowMs: number): Choice | undefined {
    let best: { camera: Camera; index: number; bornMs: number } | undefined;
    for (const camera of this.#cameras.values()) {
      if (camera.active !== undefined) continue;
      const index = firstLive(camera.waiting, nowMs);
      const bornMs = camera.waiting[index]?.bornMs ?? Infinity;
      if (bornMs < (best?.bornMs ?? Infinity)) best = { camera, index, bornMs };
    }
    return best && take(best.camera, best.index, false);
  }

  /** The next of the backlog, in the order of `replay`; it is in flight then. */
  takeDelayed(replay: Replay): Choice | undefined {
    const [place, sign] = replay === 'newest-first' ? ([-1, -1] as const) : ([0, 1] as const);
    let best: { camera: Camera; rank: number } | undefined;
    for (const camera of this.#cameras.values()) {
      const candidate = camera.active === undefined ? camera.waiting.at(place) : undefined;
      if (candidate === undefined) continue;
      const rank = sign * candidate.bornMs;
      if (rank < (best?.rank ?? Infinity)) best = { camera, rank };
    }
    return best && take(best.camera, place === 0 ? 0 : best.camera.waiting.length - 1, true);
  }

  /** A frame in flight could not be delivered and waits again. */
  giveBack({ frame, bornMs }: Waiting): void {
    const camera = this.#camera(frame.camera);
    camera.active = undefined;
    insert(camera.waiting, { frame, bornMs }, true);
  }

  /** A frame in flight waits no longer. It stays known until its file has gone, which `forget` tells. */
  settle(frame: Frame): void {
    this.#camera(frame.camera).active = undefined;
    this.#uncount(frame);
  }

  /** The oldest of all that waits. */
  oldest(): Waiting | undefined {
    let oldest: Waiting | undefined;
    for (const { waiting } of this.#cameras.values()) {
      const [first] = waiting;
      if (first !== undefined && first.bornMs < (oldest?.bornMs ?? Infinity)) oldest = first;
    }
    return oldest;
  }

  /** When the oldest frame that is not delivered was captured, in flight or not; undefined when there is none. */
  get oldestBornMs(): number | undefined {
    const born = [...this.#cameras.values()].flatMap(({ waiting: [first], active }) =>
      [first, active].flatMap((one) => one?.bornMs ?? []),
    );
    return born.length === 0 ? undefined : Math.min(...born);
  }

  /** Gives up what {@link oldest} has named. */
  drop({ frame }: Waiting): void {
    this.#camera(frame.camera).waiting.shift();
    this.#uncount(frame);
  }

  /** The frame's file has gone. */
  forget(frame: Frame): void {
    this.#left.push(frame);
  }

  /** To be called when the spool begins to be listed. */
  beginScan(): void {
    for (const { camera, capturedAt } of this.#leftBefore) this.#camera(camera).known.delete(capturedAt);
    this.#leftBefore = this.#left;
    this.#left = [];
    for (const [id, { known }] of this.#cameras) if (known.size === 0) this.#cameras.delete(id);
  }

  #camera(id: string): Camera {
    let camera = this.#cameras.get(id);
    if (camera === undefined) {
      camera = { waiting: [], active: undefined, known: new Set() };
      this.#cameras.set(id, camera);
    }
    return camera;
  }

  #uncount(frame: Frame): void {
    this.#frames--;
    this.#bytes -= frame.bytes;
  }
}

function take(camera: Camera, index: number, delayed: boolean): Choice | undefined {
  const [taken] = camera.waiting.splice(index, 1);
  camera.active = taken;
  return taken && { ...taken, delayed };
}

/** Nearly always at the end: frames come in the order of their birth. One that was taken goes before its equals. */
function insert(waiting: Waiting[], entry: Waiting, wasTaken: boolean): void {
  let index = waiting.length;
  while (index > 0 && isBefore(entry, waiting[index - 1], wasTaken)) index--;
  waiting.splice(index, 0, entry);
}

function isBefore(entry: Waiting, other: Waiting | undefined, wasTaken: boolean): boolean {
  if (other === undefined) return false;
  return other.bornMs > entry.bornMs || (wasTaken && other.bornMs === entry.bornMs);
}

/** Live frames are few and at the end. */
function firstLive(waiting: readonly Waiting[], nowMs: number): number {
  let index = waiting.length;
  while (index > 0 && nowMs - (waiting[index - 1]?.bornMs ?? 0) <= LIVE_MS) index--;
  return index;
}
