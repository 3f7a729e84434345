/** A ledger whose reports and clock are set by a test. */
import { Ledger, type Moment } from '../../../src/ledger/ledger';

export const START = 1_795_381_133_000;

export const FIRST = START / 1000;

/** A clock that tests set, and a ledger that is given its time. */
export class Desk {
  wallMs = START;
  elapsedMs = 1000;
  readonly steps: number[] = [];
  ledger = new Ledger([], (byMs) => this.steps.push(byMs));

  get now(): Moment {
    return { wallMs: this.wallMs, elapsedMs: this.elapsedMs };
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.elapsedMs += ms;
  }

  /** Time passes as it does for a daemon: with a tick every second. */
  seconds(count: number): void {
    for (let i = 0; i < count; i++) {
      this.pass(1000);
      this.ledger.tick(this.now);
    }
  }

  captured(sequence: number, camera = 'cam'): void {
    this.ledger.captured({ camera, sequence, capturedAt: sequence * 1000 }, this.now);
  }

  /** Runs of a camera as `first-last fate`, counted from START. */
  fates(camera = 'cam'): string[] {
    return this.ledger.accounts
      .filter(({ id }) => id.camera === camera)
      .flatMap(({ runs }) => runs)
      .map(({ first, last, fate }) => {
        const reason = 'reason' in fate ? ` ${fate.reason}` : '';
        return `${first - FIRST}-${last - FIRST} ${fate.state}${reason}`;
      });
  }
}

export function watching(): Desk {
  const desk = new Desk();
  desk.ledger.watch('cam', 1000, desk.now);
  return desk;
}
