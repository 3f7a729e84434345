/**
 * Assigns a decoder's complaints to the damaged picture, and to those predicted from it. A decoder reports on a packet
 * before it outputs its picture, and the filter behind it names each picture as it comes. Pure.
 */
import { worse, type Damage } from './damage';
import { readMessage } from './decoder-stderr';

interface Fed {
  /** From this packet on, nothing damaged before is visible any more. */
  readonly renews: boolean;
  readonly damage: Damage | undefined;
  /** Its data were not looked through. */
  readonly isUnchecked?: boolean;
}

/** What is known about a picture, including the pictures it depends on. */
export interface Findings {
  readonly damage: Damage | undefined;
  readonly isUnchecked: boolean;
}

/** After this many pictures without it: a decoder that never says that a picture was decoded to its end. */
const SILENT_PICTURES = 25;
/** The decoder has not decoded it to its end. */
const CUT: Damage = { reason: 'cut', confidence: 99 };

export class Complaints {
  /** Packets whose pictures have not come, in the order they come in, by their times. */
  readonly #fed = new Map<number, Fed>();
  /** Findings for pictures that have come. */
  readonly #heard = new Map<number, Findings>();
  /** Damage of the newest picture: it spoils all later pictures predicted from it. */
  #lasting: Damage | undefined;
  #isUnchecked = false;
  /** Heard since the newest picture. */
  #newest: Damage | undefined;
  #isWhole = false;
  #namesPictures = false;
  /** Pictures that were not said to be whole, of a decoder that has not yet said it of any. */
  #unsaid = 0;

  /** @param saysWhole the decoder says when a picture was decoded to its end: ffmpeg's own of H.265 does */
  constructor(private saysWhole: boolean) {}

  /** @param pts of a packet, which its picture keeps; odd if it is wanted */
  fed(pts: number, packet: Fed): void {
    this.#fed.set(pts, packet);
  }

  hear(line: string): void {
    const message = readMessage(line);
    switch (message?.kind) {
      case 'damage':
        this.#newest = worse(this.#newest, message.damage);
        return;
      case 'packet':
        this.#isWhole = false;
        // A complaint about a packet without a picture does not apply to the keyframe behind it.
        if (message.begins) this.#newest = undefined;
        return;
      case 'whole':
        this.#unsaid = -Infinity;
        this.#isWhole = true;
        return;
      case 'picture':
        this.#namesPictures = true;
        this.#came(message.pts);
        return;
      case undefined:
    }
  }

  /** True when all messages about the picture have been read. */
  isJudged(pts: number): boolean {
    return this.#heard.has(pts);
  }

  /** The decoder has named a picture: it names all, if late. */
  get namesPictures(): boolean {
    return this.#namesPictures;
  }

  /** The findings for a wanted picture, which are then forgotten. For a picture not named yet, silence means nothing. */
  take(pts: number): Findings | undefined {
    if (!this.#heard.has(pts)) this.#came(pts, true);
    const findings = this.#heard.get(pts);
    this.#heard.delete(pts);
    return findings;
  }

  /** A picture is named once by each output. */
  #came(pts: number, isUnnamed = false): void {
    if (!this.#fed.has(pts)) return;
    for (const [earlier, { renews, damage, isUnchecked = false }] of this.#fed) {
      this.#fed.delete(earlier);
      this.#lasting = worse(renews ? undefined : this.#lasting, damage);
      this.#isUnchecked = isUnchecked || (!renews && this.#isUnchecked);
      if (earlier === pts) break;
    }
    const cut = this.saysWhole && !this.#isWhole && !isUnnamed ? CUT : undefined;
    this.#lasting = worse(worse(this.#lasting, this.#newest), cut);
    if (cut !== undefined && ++this.#unsaid >= SILENT_PICTURES) this.#beSilent();
    this.#newest = undefined;
    if (pts % 2 === 1) this.#heard.set(pts, { damage: this.#lasting, isUnchecked: this.#isUnchecked });
  }

  #beSilent(): void {
    this.saysWhole = false;
    this.#lasting = undefined;
  }
}
