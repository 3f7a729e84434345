/** Waiting that can be cut short. */
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Resolves when `signal` is aborted; at once if it already is. `unlisten` ends the listening, without resolving. */
export async function aborted(signal: AbortSignal, unlisten?: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined), {
      once: true,
      ...(unlisten === undefined ? {} : { signal: unlisten }),
    }),
  );
}

/** The value of `promise`, or undefined once `signal` is aborted; leaves no listener behind. Rejects as the promise does. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([promise, aborted(signal, over.signal)]);
  } finally {
    over.abort();
  }
}

/** The value of `promise`, or undefined once `deadlineMs` have passed. Rejects as the promise does. */
export async function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T | undefined> {
  // Does not use `sleep`: an AbortError for every frame costs a twentieth of its delivery.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, deadlineMs, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
