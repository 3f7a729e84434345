/** Detects frames overtaken by a newer one of their camera, for consumers that want only the latest. */
import { latestKey, parseFrameKey } from '../contract/key';
import type { FrameStore } from './frame-store';
import type { Task } from './task';

/**
 * The latest frame is stored before it is announced, and its announcement may be late, or be delivered to
 * another consumer: older frames of the camera are skipped for at most this long.
 */
const WAIT_MS = 2000;

/** The newer frame for which a camera's older ones are skipped. */
interface Expected {
  readonly capturedAt: number;
  readonly sinceMs: number;
}

type Overtakable = Pick<Task, 'key' | 'camera' | 'capturedAt'>;

export class Overtaken {
  /** The frame that was a camera's latest when its turn came, until that one or a later one is announced. */
  readonly #expected = new Map<string, Expected>();
  #count = 0;

  constructor(private readonly onOvertaken: (task: Task) => void = () => undefined) {}

  get count(): number {
    return this.#count;
  }

  /**
   * Whether Redis had a later frame of the camera when its turn came, whose announcement has not arrived yet.
   * Frames stored after that do not count: a camera whose announcements are always a little late would never
   * have a turn.
   */
  async has({ key, camera, capturedAt }: Overtakable, store: Pick<FrameStore, 'text'>): Promise<boolean> {
    const nowMs = performance.now();
    const expected = this.#expected.get(camera) ?? {
      capturedAt: await latestOf(key, camera, store),
      sinceMs: nowMs,
    };
    const isOvertaken = expected.capturedAt > capturedAt && nowMs - expected.sinceMs <= WAIT_MS;
    if (isOvertaken) this.#expected.set(camera, expected);
    else this.#expected.delete(camera);
    return isOvertaken;
  }

  /** Acknowledges overtaken frames and removes them: they will not be retrieved, so they need not wait for their expiry. */
  settle(tasks: readonly Task[], store: FrameStore | undefined): void {
    for (const task of tasks) {
      const { key, message, removal, share } = task;
      this.#count += 1;
      message.settle('ack');
      this.onOvertaken(task);
      if (removal !== 'keep') store?.remove(key, share).catch(() => undefined);
    }
  }
}

/** Capture time; -Infinity if not known. */
async function latestOf(key: string, camera: string, store: Pick<FrameStore, 'text'>): Promise<number> {
  const { namespace } = parseFrameKey(key) ?? { namespace: '' };
  // A server that is away is noticed when the picture is retrieved.
  const latest = await store.text(latestKey(namespace, camera)).catch(() => null);
  return parseFrameKey(latest ?? '')?.capturedAt ?? -Infinity;
}
