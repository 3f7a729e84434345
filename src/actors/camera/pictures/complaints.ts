/**
 * Assigns a decoder's complaints to the damaged picture, and to those predicted from it. A decoder reports on a packet
 * before it outputs the picture, and the filter after it names each picture as it leaves the decoder. Pure.
 */
import { worse, type Damage } from './damage';
import { readMessage } from './decoder-stderr';

interface Fed {
  /** From this packet on, earlier damage is no longer visible. */
  readonly renews: boolean;
  readonly damage: Damage | undefined;
  /** The packet's data were not examined for damage. */
  readonly isUnchecked?: boolean;
}

/** What is known about a picture, including the pictures it depends on. */
export interface Findings {
  readonly damage: Damage | undefined;
  readonly isUnchecked: boolean;
}

/**
 * After this many pictures without such a message, a decoder is taken to never report that a picture is
 * whole.
 */
const SILENT_PICTURES = 25;
/** The picture was not decoded to its end. */
const CUT: Damage = { reason: 'cut', confidence: 99 };

export class Complaints {
  /** Packets whose pictures were not output yet, by time, in output order. */
  readonly #fed = new Map<number, Fed>();
  /** Findings for pictures that were output. */
  readonly #heard = new Map<number, Findings>();
  /** Damage of the newest picture: it spoils all later pictures predicted from it. */
  #lasting: Damage | undefined;
  #isUnchecked = false;
  /** Damage reported since the newest picture. */
  #newest: Damage | undefined;
  #isWhole = false;
  #namesPictures = false;
  /** Pictures not reported as whole, while the decoder has not reported any as whole. */
  #unsaid = 0;

  /** @param saysWhole the decoder reports each picture decoded to its end, as ffmpeg's own for H.265 does */
  constructor(private saysWhole: boolean) {}

  /** @param pts of a packet, kept by its picture; odd if the picture is wanted */
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
        // A complaint about a packet without a picture does not apply to the keyframe after it.
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

  /** True once the decoder has named a picture: then it names all of them, if late. */
  get namesPictures(): boolean {
    return this.#namesPictures;
  }

  /**
   * Removes and returns the findings for a wanted picture. For one that is not named yet, silence proves
   * nothing.
   */
  take(pts: number): Findings | undefined {
    if (!this.#heard.has(pts)) this.#came(pts, true);
    const findings = this.#heard.get(pts);
    this.#heard.delete(pts);
    return findings;
  }

  /** Assigns damage to a picture when it is named. Each output names it once; only the first time counts. */
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
