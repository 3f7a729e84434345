/** What cameras cost: processor time, smoothed, in steps so coarse that noise changes none. Pure. */

/** A camera's first minute is its start: programs are loaded, and a keyframe is waited for. */
const START_MS = 60_000;
/** Minimum measuring time before a cost counts; after that time, a third of the weight of older measurements is left. */
const SMOOTH_MS = 120_000;
/** Shortest interval measured: for less, ticks of 10 ms are too coarse. */
const LEAST_MS = 4000;
/** Two neighbouring steps differ by half. */
const STEP = 1.5;
/** A cost leaves its step when it is more than this far from it, in units of the distance between steps. */
const LEAVE = 0.75;
const LEAST_MILLICORES = 1;

interface Meter {
  readonly pid: number;
  readonly sinceMs: number;
  atMs: number;
  seconds: number;
  /** Thousandths of a processor. */
  smooth: number | undefined;
  step: number | undefined;
}

export interface Reading {
  readonly id: string;
  /** Pid of the camera's process. A new process keeps the cost of the previous one until its own is measured. */
  readonly pid: number;
  /** Processor seconds since that process began. */
  readonly seconds: number;
}

export class Costs {
  readonly #meters = new Map<string, Meter>();

  /** Forgets cameras that are not among the readings. */
  read(readings: readonly Reading[], nowMs: number): void {
    const ids = new Set(readings.map(({ id }) => id));
    for (const id of this.#meters.keys()) if (!ids.has(id)) this.#meters.delete(id);
    for (const { id, pid, seconds } of readings) {
      const meter = this.#meters.get(id);
      if (meter?.pid === pid) measure(meter, seconds, nowMs);
      else
        this.#meters.set(id, {
          ...{ pid, sinceMs: nowMs, atMs: nowMs, seconds },
          ...{ smooth: undefined, step: meter?.step },
        });
    }
  }

  /** Thousandths of a processor, by camera; absent for one that was not measured for long enough. */
  get steps(): Readonly<Record<string, number>> {
    const known = [...this.#meters].flatMap(([id, { step }]) =>
      step === undefined ? [] : [[id, Math.round(STEP ** step * 10) / 10] as const],
    );
    return Object.fromEntries(known);
  }
}

function measure(meter: Meter, seconds: number, nowMs: number): void {
  const ms = nowMs - meter.atMs;
  if (ms < LEAST_MS) return;
  const millicores = (1e6 * (seconds - meter.seconds)) / ms;
  [meter.atMs, meter.seconds] = [nowMs, seconds];
  if (nowMs - meter.sinceMs < START_MS) return;
  const share = 1 - Math.exp(-ms / SMOOTH_MS);
  meter.smooth = meter.smooth === undefined ? millicores : meter.smooth + share * (millicores - meter.smooth);
  if (nowMs - meter.sinceMs < START_MS + SMOOTH_MS) return;
  const exact = Math.log(Math.max(LEAST_MILLICORES, meter.smooth)) / Math.log(STEP);
  if (meter.step === undefined || Math.abs(exact - meter.step) > LEAVE) meter.step = Math.round(exact);
}
