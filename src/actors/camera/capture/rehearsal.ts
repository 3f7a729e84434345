/** Decides what is decoded of a feed that is not sampled yet, so that it makes one picture as proof. Pure. */
import type { Coded } from '../sampling/sample-plan';
import type { Decision, Sample } from '../sampling/sample';

/** Never delivered. */
const REHEARSED: Sample = { capturedAt: 0, sequence: 0 };

export class Rehearsal {
  #asked = false;

  /** Decodes everything, also after the first picture: sampling may begin at any later packet. */
  decide({ state, inOrder, needed }: Coded): Decision {
    if (state === 'undecodable') return { kind: 'skip' };
    if (this.#asked || state !== 'whole' || !inOrder) return { kind: needed ? 'feed' : 'skip' };
    this.#asked = true;
    return { kind: 'take', sample: REHEARSED };
  }
}
