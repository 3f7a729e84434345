/**
 * The parameter sets that are in force. The receiver's ffmpeg puts those of the stream's description before each keyframe, but the stream may
 * have sent others since: a reader of the first set alone would use its size and, if there is no other set, decode with it. Pure.
 */
import { nalCodec, setName, type NalCodec } from './codec';
import { annexB, fromStartCode, nalUnits, type NalUnit } from './nal';

/** Parameter sets by type and number. */
type Sets = ReadonlyMap<string, NalUnit>;

export class SentSets {
  readonly #codec: NalCodec | undefined;
  readonly #sent = new Map<string, NalUnit>();
  #described: Sets | undefined;

  constructor(codec: string) {
    this.#codec = nalCodec(codec);
  }

  /** A keyframe with the sets in force, each once; unchanged if it has no others. */
  apply(unit: Buffer): Buffer {
    if (this.#codec === undefined) return unit;
    const { sets, others, begins, rest } = headOf(unit, this.#codec);
    const last: Sets = new Map(sets);
    this.#described ??= new Map(sets.toReversed());
    // Other sequence parameter sets come into force only where a coded sequence begins.
    const isDescribed = !begins && [...last].every(([name, nal]) => this.#described?.get(name)?.equals(nal));
    if (!isDescribed) for (const [name, nal] of last) this.#sent.set(name, nal);
    const counting = isDescribed && this.#sent.size > 0 ? this.#sent : last;
    if (sets.length === 0 || (sets.length === counting.size && isSame(counting, last))) return unit;
    return Buffer.concat([annexB([...counting.values(), ...others]), rest]);
  }
}

function isSame(one: Sets, other: Sets): boolean {
  return [...one].every(([name, nal]) => other.get(name)?.equals(nal));
}

interface Head {
  readonly sets: readonly (readonly [name: string, nal: NalUnit])[];
  /** What else comes before the first slice. */
  readonly others: readonly NalUnit[];
  /** Whether a coded sequence may begin with it. */
  readonly begins: boolean;
  /** The rest, from the first slice on. */
  readonly rest: Buffer;
}

function headOf(unit: Buffer, codec: NalCodec): Head {
  const [sets, others]: [[string, NalUnit][], NalUnit[]] = [[], []];
  for (const nal of nalUnits(unit)) {
    const type = codec.typeOf(nal);
    if (codec.isSlice(type))
      return { sets, others, begins: codec.begins(type), rest: fromStartCode(unit, nal) };
    const name = setName(codec, nal);
    if (name === undefined) others.push(nal);
    else sets.push([name, nal]);
  }
  return { sets, others, begins: false, rest: Buffer.alloc(0) };
}
