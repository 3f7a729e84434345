/** Sampling periods and their fates, as runs of equal ones: a camera that works for a day is a single run. */
import { sameFate, type Fate } from './fate';

export interface Run {
  /** Sequences of the first and the last period, both included. */
  readonly first: number;
  readonly last: number;
  readonly fate: Fate;
}

export class Runs {
  /** Sorted, without overlap; adjacent runs have different fates. */
  #runs: Run[] = [];

  get all(): readonly Run[] {
    return this.#runs;
  }

  get last(): Run | undefined {
    return this.#runs.at(-1);
  }

  fateAt(sequence: number): Fate | undefined {
    const run = this.#runs[this.#firstEndingAt(sequence)];
    return run !== undefined && run.first <= sequence ? run.fate : undefined;
  }

  /** The known runs from `first` to `last`, cut to that range. */
  between(first: number, last: number): Run[] {
    const found: Run[] = [];
    for (let i = this.#firstEndingAt(first); i < this.#runs.length; i++) {
      const run = this.#runs[i];
      if (run === undefined || run.first > last) break;
      found.push({ first: Math.max(first, run.first), last: Math.min(last, run.last), fate: run.fate });
    }
    return found;
  }

  /** Gives the periods from `first` to `last` a fate, replacing any previous one. */
  assign(first: number, last: number, fate: Fate): void {
    if (last < first) return;
    // Starts one to the left, so that an equal neighbour is merged.
    const from = this.#firstEndingAt(first - 1);
    let to = from;
    const rest: Run[] = [];
    let joined: Run = { first, last, fate };
    for (; to < this.#runs.length; to++) {
      const run = this.#runs[to];
      if (run === undefined || run.first > last + 1) break;
      if (sameFate(run.fate, fate))
        joined = { first: Math.min(joined.first, run.first), last: Math.max(joined.last, run.last), fate };
      else rest.push(...outside(run, first, last));
    }
    const replaced = [...rest, joined].sort((a, b) => a.first - b.first);
    this.#runs.splice(from, to - from, ...replaced);
  }

  /** Removes and returns the runs that ended before `sequence`. */
  takeBefore(sequence: number): Run[] {
    const cut = this.#runs.findIndex(({ last }) => last >= sequence);
    return this.#runs.splice(0, cut === -1 ? this.#runs.length : cut);
  }

  /** Index of the first run that ends at or after `sequence`. */
  #firstEndingAt(sequence: number): number {
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.last ?? Infinity) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The parts of a run before and after the periods from `first` to `last`. */
function outside(run: Run, first: number, last: number): Run[] {
  const parts: Run[] = [];
  if (run.first < first) parts.push({ ...run, last: Math.min(run.last, first - 1) });
  if (run.last > last) parts.push({ ...run, first: Math.max(run.first, last + 1) });
  return parts;
}
