/** Logs each trouble of a feed when it begins, then occasionally, and when it is over. */
import type { FaultRecord } from '../../fault/fault';
import { RecurringFaults } from '../../fault/recurring-faults';
import type { Log } from '../../log/log';
import { clockFault, type CameraClock } from './clock/camera-clock';
import type { LossWatch } from './rtsp/loss-watch';

const PASSWORD_READABLE =
  'asks for the password by Basic, and its identity is not verified, so an impostor, or anyone who can read unencrypted traffic, gets the password; set it to Digest, or use its encrypted port with "tls": {"verify": true}';

/** Logged when the trouble is over. */
const OVER = {
  feed: 'pictures arrive again',
  decoding: 'pictures can be decoded again',
  clock: "its clock agrees with this machine's again: capture times are by it",
  lateness: 'pictures come in time again',
  losses: 'no UDP packet was lost for a minute',
};

export class FeedTroubles {
  readonly #faults: RecurringFaults<keyof typeof OVER>;
  #warnedOfBasic = false;

  constructor(private readonly log: Log) {
    this.#faults = new RecurringFaults(log, OVER);
  }

  /** The feed has ended, or could not be opened. */
  failed(fault: FaultRecord): void {
    this.#faults.report('feed', fault);
  }

  /** Pictures arrive again. */
  streams(): void {
    this.#faults.clear('feed');
  }

  pictureLost(fault: FaultRecord): void {
    this.#faults.report('decoding', { code: fault.code, message: `a picture was lost: ${fault.message}` });
  }

  pictureMade(): void {
    this.#faults.clear('decoding');
  }

  /** The feed continues, but misses periods; undefined: it no longer does. */
  late(fault: FaultRecord | undefined): void {
    if (fault === undefined) this.#faults.clear('lateness');
    else this.#faults.report('lateness', fault);
  }

  judgeClock(clock: CameraClock): void {
    const { state } = clock;
    const fault = state === 'insane' ? clockFault(clock, Date.now()) : undefined;
    if (fault !== undefined) this.#faults.report('clock', fault);
    if (state === 'sane') this.#faults.clear('clock');
  }

  /**
   * Reports packets lost over UDP, with their share, when a statement is due.
   * @param steadyMs the current time on a clock that is never set
   */
  judgeLosses(losses: LossWatch, steadyMs: number): void {
    const statement = losses.statement(steadyMs);
    if (statement !== undefined) this.#faults.report('losses', statement);
    if (losses.isOver(steadyMs)) this.#faults.clear('losses');
  }

  /** Warns only once, although every request is affected. */
  warnOfBasic(): void {
    if (this.#warnedOfBasic) return;
    this.#warnedOfBasic = true;
    this.log.warn(PASSWORD_READABLE, { code: 'password-readable' });
  }
}
