/** Frames waiting for delivery: which is next, and which is dropped first if there is no room. Pure; its clock is never set. */
import { backOffMs, type BackOff } from '../../clock/back-off';
import type { SpoolSpec } from '../../config/topology';
import type { Frame } from '../../contract/frame';

/** A frame that has waited no longer is live: it is delivered first, and is not marked delayed. */
export const LIVE_MS = 5000;
/** Pause until a frame that could not be read is retried. */
const UNREADABLE: BackOff = { firstMs: 1000, capMs: 30_000 };
/** Minimum interval between scans of the postponed frames: a whole spool may be unreadable. */
const REVIVE_MS = 500;

type Replay = SpoolSpec['replay'];

export interface Waiting {
  readonly frame: Frame;
  /** When it was captured, on the clock passed in. */
  readonly bornMs: number;
  /** How often it could not be read. */
  readonly failures?: number;
}

interface PutOff extends Waiting {
  readonly untilMs: number;
  /** The frame was postponed for another reason than a failed read. */
  readonly isReadable?: true;
}

export interface Choice extends Waiting {
  readonly delayed: boolean;
}

interface Camera {
  /** By birth, oldest first. */
  readonly waiting: Waiting[];
  /** Frames that could not be read and are retried later, without holding up the others. */
  later: PutOff[];
  /** In flight: one frame of a camera at a time, so that consumers see its frames in their order. */
  active: Waiting | undefined;
  /** Capture times of all frames here, and of those that have left since the scan before the last. */
  readonly known: Set<number>;
}

export class Outbox {
  readonly #cameras = new Map<string, Camera>();
  #frames = 0;
  #bytes = 0;
  #reviveMs = Infinity;
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

  /** How many of those could not be read when they were last tried. */
  get unreadable(): number {
    const later = [...this.#cameras.values()].flatMap((camera) => camera.later);
    return later.filter(({ isReadable }) => isReadable !== true).length;
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
    if (nowMs >= this.#reviveMs) this.#revive(nowMs);
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

  /** A frame in flight could not be read: it waits for a while, and the others do not wait for it. */
  putOff({ frame, bornMs, failures = 0 }: Waiting, nowMs: number): void {
    this.#postpone({
      frame,
      bornMs,
      failures: failures + 1,
      untilMs: nowMs + backOffMs(UNREADABLE, failures + 1, 1),
    });
  }

  /** Postpones a frame that waits for something else. */
  postpone({ frame, bornMs, failures = 0 }: Waiting, untilMs: number): void {
    this.#postpone({ frame, bornMs, failures, untilMs, isReadable: true });
  }

  #postpone(entry: PutOff): void {
    const camera = this.#camera(entry.frame.camera);
    camera.active = undefined;
    insert(camera.later, entry, true);
    this.#reviveMs = Math.min(this.#reviveMs, entry.untilMs);
  }

  /** A frame in flight waits no longer. It stays known until its file has gone, see `forget`. */
  settle(frame: Frame): void {
    this.#camera(frame.camera).active = undefined;
    this.#uncount(frame);
  }

  /** The oldest waiting frame. */
  oldest(): Waiting | undefined {
    let oldest: Waiting | undefined;
    for (const { waiting, later } of this.#cameras.values())
      for (const first of [waiting[0], later[0]])
        if (first !== undefined && first.bornMs < (oldest?.bornMs ?? Infinity)) oldest = first;
    return oldest;
  }

  /** When the oldest frame that is not delivered was captured, in flight or not; undefined when there is none. */
  get oldestBornMs(): number | undefined {
    const born = [...this.#cameras.values()].flatMap(({ waiting, later, active }) =>
      [waiting[0], active, ...later].flatMap((one) => one?.bornMs ?? []),
    );
    return born.length === 0 ? undefined : Math.min(...born);
  }

  /** All frames that wait and are not in flight, oldest first. */
  waiting(): Waiting[] {
    const all = [...this.#cameras.values()].flatMap(({ waiting, later }) => [...waiting, ...later]);
    return all.sort((a, b) => a.bornMs - b.bornMs);
  }

  /** Drops a frame of {@link oldest} or {@link waiting}; false if it is in flight by now, or gone. */
  drop({ frame }: Waiting): boolean {
    const { waiting, later } = this.#camera(frame.camera);
    const isIt = (entry: Waiting) => entry.frame.capturedAt === frame.capturedAt;
    for (const entries of [waiting, later]) {
      const index = entries.findIndex(isIt);
      if (index < 0) continue;
      entries.splice(index, 1);
      this.#uncount(frame);
      return true;
    }
    return false;
  }

  /** The frame's file has gone. */
  forget(frame: Frame): void {
    this.#left.push(frame);
  }

  /** Must be called when a listing of the spool begins. */
  beginScan(): void {
    for (const { camera, capturedAt } of this.#leftBefore) this.#camera(camera).known.delete(capturedAt);
    this.#leftBefore = this.#left;
    this.#left = [];
    for (const [id, { known }] of this.#cameras) if (known.size === 0) this.#cameras.delete(id);
  }

  #camera(id: string): Camera {
    let camera = this.#cameras.get(id);
    if (camera === undefined) {
      camera = { waiting: [], later: [], active: undefined, known: new Set() };
      this.#cameras.set(id, camera);
    }
    return camera;
  }

  /** Postponed frames whose time has come wait like the others. */
  #revive(nowMs: number): void {
    this.#reviveMs = Infinity;
    for (const camera of this.#cameras.values()) {
      const due = camera.later.filter(({ untilMs }) => untilMs <= nowMs);
      if (due.length > 0) camera.later = camera.later.filter(({ untilMs }) => untilMs > nowMs);
      for (const { frame, bornMs, failures = 0 } of due)
        insert(camera.waiting, { frame, bornMs, failures }, true);
      for (const { untilMs } of camera.later) this.#reviveMs = Math.min(this.#reviveMs, untilMs);
    }
    this.#reviveMs = Math.max(this.#reviveMs, nowMs + REVIVE_MS);
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

/** Nearly always at the end: frames come in the order of their birth. One that was taken is put before its equals. */
function insert<W extends Waiting>(waiting: W[], entry: W, wasTaken: boolean): void {
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
