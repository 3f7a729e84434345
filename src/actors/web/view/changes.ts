/**
 * Changes between two looks, as numbered events. For each subject only the newest event is kept, so that a client that
 * reconnects gets whatever it missed, and memory is bounded by the number of cameras. Pure.
 */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ApiCamera, ApiReset, ApiState } from './api';

export interface ChangeEvent {
  /** Goes into `id:`; the part before the dash is that of this process. */
  readonly id: string;
  readonly event: 'reset' | 'state' | 'camera' | 'removed' | 'picture';
  readonly data: unknown;
}

/** Removed cameras that are remembered for clients that reconnect. */
const MAX_REMOVED = 1000;

interface Kept {
  readonly number: number;
  readonly event: ChangeEvent;
}

export class Changes {
  readonly #epoch = randomBytes(6).toString('hex');
  #number = 0;
  /** By subject, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** A removal before this number may be forgotten. */
  #forgotten = 0;
  #state: ApiState | undefined;
  readonly #cameras = new Map<string, ApiCamera>();

  /** Adds a new observation, and returns the changes since the previous one. */
  take({ state, cameras }: ApiReset): ChangeEvent[] {
    const events: ChangeEvent[] = [];
    const add = (about: string, event: ChangeEvent['event'], data: unknown) =>
      events.push(this.#add(about, event, data));
    const present = new Set(cameras.map(({ id }) => id));
    for (const id of this.#cameras.keys()) {
      if (present.has(id)) continue;
      this.#cameras.delete(id);
      this.#kept.delete(`picture ${id}`);
      add(`camera ${id}`, 'removed', { id });
    }
    for (const camera of cameras) {
      const { id, picture } = camera;
      const before = this.#cameras.get(id);
      this.#cameras.set(id, camera);
      if (before === undefined || !isDeepStrictEqual(lasting(before), lasting(camera)))
        add(`camera ${id}`, 'camera', camera);
      if (picture !== undefined && picture.capturedAt !== before?.picture?.capturedAt)
        add(`picture ${id}`, 'picture', { id, capturedAt: picture.capturedAt });
    }
    if (!isDeepStrictEqual(this.#state, state)) add('state', 'state', state);
    this.#state = state;
    this.#forget();
    return events;
  }

  /** Everything that has changed since the event of this id, oldest first; undefined if that is not known. */
  since(lastEventId: string): ChangeEvent[] | undefined {
    const [epoch, digits = ''] = lastEventId.split('-', 2);
    const number = Number(digits);
    if (epoch !== this.#epoch || !/^\d{1,15}$/.test(digits)) return undefined;
    if (number < this.#forgotten || number > this.#number) return undefined;
    return [...this.#kept.values()].filter((kept) => kept.number > number).map(({ event }) => event);
  }

  /** Everything, for a new client. */
  reset(): ChangeEvent {
    const data = { state: this.#state, cameras: [...this.#cameras.values()] };
    return { id: `${this.#epoch}-${this.#number}`, event: 'reset', data };
  }

  #add(about: string, event: ChangeEvent['event'], data: unknown): ChangeEvent {
    const number = ++this.#number;
    const made: ChangeEvent = { id: `${this.#epoch}-${number}`, event, data };
    this.#kept.delete(about);
    this.#kept.set(about, { number, event: made });
    return made;
  }

  #forget(): void {
    const removed = [...this.#kept].filter(([, { event }]) => event.event === 'removed');
    for (const [about, { number }] of removed.slice(0, -MAX_REMOVED)) {
      this.#kept.delete(about);
      this.#forgotten = number;
    }
  }
}

/** The part of a camera whose changes are sent as events: not what changes with every frame, or with every retry of a feed. */
function lasting({ picture, confirmedAt: _, ...camera }: ApiCamera): unknown {
  const { rate, keyframeSeconds = 0, clockSkewMs = 0, fault } = camera;
  const { width, height, format } = picture ?? {};
  const rough = [rate * 10, keyframeSeconds * 5, clockSkewMs / 100].map(Math.round);
  const texts = [fault?.code, fault?.message];
  return [
    { ...camera, rate: 0, keyframeSeconds: 0, clockSkewMs: 0, fault: 0 },
    rough,
    texts,
    width,
    height,
    format,
  ];
}
