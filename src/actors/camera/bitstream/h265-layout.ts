/** The order in which the trees of an H.265 picture are coded: row by row, or tile by tile (6.5.1). Pure. */
import type { PictureTools, SequenceTools, Tiles } from './h265-tools';

/** Trees have numbers, row by row. */
export interface TreeLayout {
  readonly columns: number;
  readonly count: number;
  /** Numbers of trees in the order they are coded in. */
  readonly order: Int32Array;
  /** The place of each in {@link order}. */
  readonly places: Int32Array;
  /** Number of the tile that each is in. */
  readonly tiles: Int32Array;
  /** Column of each within its tile. */
  readonly columnsInTile: Int32Array;
}

const ONE_TILE: Tiles = { columns: 1, rows: 1 };

export function treeLayout(
  { codedWidth, codedHeight, log2Tree }: SequenceTools,
  { tiles = ONE_TILE }: PictureTools,
): TreeLayout {
  const side = 2 ** log2Tree;
  const [columns, rows] = [Math.ceil(codedWidth / side), Math.ceil(codedHeight / side)];
  const lefts = borders(columns, tiles.columns, tiles.widths);
  const tops = borders(rows, tiles.rows, tiles.heights);
  const count = columns * rows;
  const layout = {
    ...{ columns, count, order: new Int32Array(count), places: new Int32Array(count) },
    ...{ tiles: new Int32Array(count), columnsInTile: new Int32Array(count) },
  };
  let [place, tile] = [0, 0];
  for (let r = 0; r + 1 < tops.length; r++)
    for (let c = 0; c + 1 < lefts.length; c++, tile++)
      for (let y = tops[r] ?? 0; y < (tops[r + 1] ?? 0); y++)
        for (let x = lefts[c] ?? 0; x < (lefts[c + 1] ?? 0); x++) {
          const tree = y * columns + x;
          layout.order[place] = tree;
          layout.places[tree] = place++;
          layout.tiles[tree] = tile;
          layout.columnsInTile[tree] = x - (lefts[c] ?? 0);
        }
  return layout;
}

/** From the first to behind the last. */
function borders(length: number, parts: number, sizes: readonly number[] | undefined): number[] {
  if (sizes === undefined)
    return Array.from({ length: parts + 1 }, (_, i) => Math.floor((i * length) / parts));
  const all = [0];
  for (const size of sizes) all.push(Math.min(length, (all.at(-1) ?? 0) + size));
  return [...all, length];
}
