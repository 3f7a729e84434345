/** Logs what is wrong with a feed and when it is over: each trouble when it begins, then now and then. */
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

  /** Pictures come again. */
  streams(): void {
    this.#faults.clear('feed');
  }

  pictureLost(fault: FaultRecord): void {
    this.#faults.report('decoding', { code: fault.code, message: `a picture was lost: ${fault.message}` });
  }

  pictureMade(): void {
    this.#faults.clear('decoding');
  }

  /** The feed continues, but misses periods; undefined: no longer. */
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
   * Packets lost over UDP are spoken of once a minute, with their share.
   * @param steadyMs now on a clock that is never set
   */
  judgeLosses(losses: LossWatch, steadyMs: number): void {
    const statement = losses.statement(steadyMs);
    if (statement !== undefined) this.#faults.report('losses', statement);
    if (losses.isOver(steadyMs)) this.#faults.clear('losses');
  }

  /** Once: it is the same with every request. */
  warnOfBasic(): void {
    if (this.#warnedOfBasic) return;
    this.#warnedOfBasic = true;
    this.log.warn(PASSWORD_READABLE, { code: 'password-readable' });
  }
}
