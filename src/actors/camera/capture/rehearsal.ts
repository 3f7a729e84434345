/** Decides what is decoded of a feed that is not sampled yet, so that it has shown one picture. Pure. */
import type { Coded } from '../sampling/sample-plan';
import type { Decision, Sample } from '../sampling/sample';

/** Never given. */
const REHEARSED: Sample = { capturedAt: 0, sequence: 0 };

export class Rehearsal {
  #asked = false;

  /** Everything up to the first picture that can be taken, and on: what follows may be sampled at any packet. */
  decide({ state, inOrder, needed }: Coded): Decision {
    if (state === 'undecodable') return { kind: 'skip' };
    if (this.#asked || state !== 'whole' || !inOrder) return { kind: needed ? 'feed' : 'skip' };
    this.#asked = true;
    return { kind: 'take', sample: REHEARSED };
  }
}
