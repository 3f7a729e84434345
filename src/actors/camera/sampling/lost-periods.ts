/** Joins periods whose pictures could not be kept, so that a full disk is reported as a few gaps. Pure. */

/** A run is reported when it reaches this length, even if it continues. */
const MAX_PERIODS = 10;

export interface LostRun {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly reason: string;
}

export class LostPeriods {
  #run: LostRun | undefined;

  /** Returns the run that is complete, if one is. */
  add(sequence: number, reason: string): LostRun | undefined {
    const run = this.#run;
    if (run?.lastSequence !== sequence - 1 || run.reason !== reason) {
      this.#run = { firstSequence: sequence, lastSequence: sequence, reason };
      return run;
    }
    this.#run = { ...run, lastSequence: sequence };
    return sequence - run.firstSequence + 1 >= MAX_PERIODS ? this.end() : undefined;
  }

  /** Ends the current run and returns it, if there is one. */
  end(): LostRun | undefined {
    const run = this.#run;
    this.#run = undefined;
    return run;
  }
}
