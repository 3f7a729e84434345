/** Remembers a picture's blocks while its slices are parsed, because the coding of their neighbours depends on them. */
import type { SequenceTools } from './h265-tools';

const DC = 1;
const DEPTH = 3;
const SKIPPED = 4;
const INTRA = 8;

export class BlockMap {
  /** For each smallest coding unit: the depth of its tree, whether it is skipped, and whether it is predicted from its neighbours. */
  readonly #units: Uint8Array;
  /** For each 4x4 points: how they are predicted. */
  readonly #modes: Uint8Array;
  readonly #unitColumns: number;
  readonly #columns: number;
  readonly #log2Unit: number;

  constructor({ codedWidth, codedHeight, log2LeastUnit }: SequenceTools) {
    this.#log2Unit = log2LeastUnit;
    this.#unitColumns = Math.ceil(codedWidth / 2 ** log2LeastUnit);
    this.#columns = Math.ceil(codedWidth / 4);
    this.#units = new Uint8Array(this.#unitColumns * Math.ceil(codedHeight / 2 ** log2LeastUnit));
    this.#modes = new Uint8Array(this.#columns * Math.ceil(codedHeight / 4));
  }

  depthAt(x: number, y: number): number {
    return this.#unitAt(x, y) & DEPTH;
  }

  /** 1 if it is skipped. */
  skippedAt(x: number, y: number): number {
    return (this.#unitAt(x, y) & SKIPPED) === 0 ? 0 : 1;
  }

  /** DC if the block is predicted in another way. */
  modeAt(x: number, y: number): number {
    if ((this.#unitAt(x, y) & INTRA) === 0) return DC;
    return this.#modes[(y >> 2) * this.#columns + (x >> 2)] ?? DC;
  }

  setUnit(x: number, y: number, log2Side: number, depth: number, kind: 'skipped' | 'intra' | 'other'): void {
    const value = depth | (kind === 'skipped' ? SKIPPED : kind === 'intra' ? INTRA : 0);
    const side = 1 << (log2Side - this.#log2Unit);
    const first = (y >> this.#log2Unit) * this.#unitColumns + (x >> this.#log2Unit);
    fill(this.#units, first, side, this.#unitColumns, value);
  }

  setMode(x: number, y: number, log2Side: number, mode: number): void {
    fill(this.#modes, (y >> 2) * this.#columns + (x >> 2), 1 << (log2Side - 2), this.#columns, mode);
  }

  #unitAt(x: number, y: number): number {
    return this.#units[(y >> this.#log2Unit) * this.#unitColumns + (x >> this.#log2Unit)] ?? 0;
  }
}

/** A square; in a loop, since most are of few points, for which a typed array's own `fill` takes ten times as long. */
function fill(map: Uint8Array, first: number, side: number, columns: number, value: number): void {
  for (let row = 0, from = first; row < side; row++, from += columns)
    for (let at = from; at < from + side; at++) map[at] = value;
}
