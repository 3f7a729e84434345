/** Asks Sentinels where the primary is. */
import { SentinelConnector, type SentinelConnectionOptions } from 'ioredis';

/** A Sentinel answers in milliseconds; one that is frozen or gone must not cause delays. */
export const ANSWER_MS = 1000;

/**
 * Asks all Sentinels in turn, each time starting after the last one asked, which may have been wrong. ioredis
 * itself asks only those up to the end of the list, and then reports that none can be reached.
 */
export class SentinelRounds extends SentinelConnector {
  /** `host:port` of the primary as a Sentinel named it last. */
  named: string | undefined;

  constructor(options: unknown) {
    super({
      ...(options as SentinelConnectionOptions),
      connectTimeout: ANSWER_MS,
      sentinelCommandTimeout: ANSWER_MS,
    });
    // Called for each address a Sentinel returns; the last call is for the one that is connected to.
    this.options.natMap = (address) => {
      this.named = address;
      return null;
    };
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>) {
    const { done } = this.sentinelIterator.next();
    // Moves the next Sentinel to the front, or keeps the first.
    this.sentinelIterator.reset(!done);
    return super.connect(...args);
  }
}
