/** What ends the set-up: a sentence for the operator and an exit code. */

/** sysexits(3) EX_UNAVAILABLE: something needed is missing. The daemon uses the same code for it. */
export const EXIT_UNAVAILABLE = 69;
export const EXIT_USAGE = 2;
export const EXIT_BUILD = 1;

export class SetupFailure extends Error {
  /**
   * @param {string} message what failed and what to do about it; shown as it is, without a stack
   * @param {number} exitCode
   */
  constructor(message, exitCode = EXIT_UNAVAILABLE) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Thrown when a signal ended the set-up; the exit code is the shells' 128 + number. */
export class Stopped extends SetupFailure {
  constructor(signalNumber) {
    super('stopped before it was done; the next start goes on from here', 128 + signalNumber);
  }
}
