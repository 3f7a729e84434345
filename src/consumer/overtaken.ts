/** Frames that a newer one of their camera has overtaken, for consumers that only want the latest. */
import { latestKey, parseFrameKey } from '../contract/key';
import type { Removal } from './attempt';
import type { FrameStore } from './frame-store';
import type { Task } from './task';

/**
 * The latest frame is stored before it is announced, and the announcement may be late, or go to another consumer: a
 * camera's frames are passed over in its favour for so long at most.
 */
const WAIT_MS = 2000;

export class Overtaken {
  /** Since when each camera's frames are passed over. */
  readonly #sinceMs = new Map<string, number>();
  #count = 0;

  constructor(private readonly removal: Removal) {}

  get count(): number {
    return this.#count;
  }

  /** Whether Redis has a later frame of the camera than this one, whose announcement is still to come. */
  async has({ key, camera, capturedAt }: Task, store: FrameStore): Promise<boolean> {
    const nowMs = performance.now();
    const sinceMs = this.#sinceMs.get(camera) ?? nowMs;
    const isTooLong = nowMs - sinceMs > WAIT_MS;
    if (!isTooLong && (await latestOf(key, camera, store)) > capturedAt) {
      this.#sinceMs.set(camera, sinceMs);
      return true;
    }
    this.#sinceMs.delete(camera);
    return false;
  }

  /** Nobody is going to ask for them: they need not wait for their end in Redis. */
  settle(tasks: readonly Task[], store: FrameStore | undefined): void {
    for (const { key, delivery } of tasks) {
      this.#count += 1;
      delivery.settle('ack');
      if (this.removal !== 'keep') store?.remove(key).catch(() => undefined);
    }
  }
}

/** Capture time; -Infinity where it cannot be told. */
async function latestOf(key: string, camera: string, store: FrameStore): Promise<number> {
  const { namespace } = parseFrameKey(key) ?? { namespace: '' };
  // A server that is away shows with the picture.
  const latest = await store.text(latestKey(namespace, camera)).catch(() => null);
  return parseFrameKey(latest ?? '')?.capturedAt ?? -Infinity;
}
