/** Copies this node's ledger files to Redis as they grow, for the other nodes of its fleet. */
import path from 'node:path';
import { COPIES_KEPT_MS, type Copied, type LedgerCopies } from '../../ledger/copies';
import { ledgerFileName, hourOf } from '../../ledger/file-names';
import { listLedgerFiles } from '../../ledger/files';
import { RecurringFault } from '../../fault/recurring';
import type { Log } from '../../log/log';
import type { ClaimParameters } from '../../protocol/messages';
import type { RedisFrames } from './redis-frames';

const EVERY_MS = 5000;

export interface LedgerCopierOptions {
  readonly copies: Pick<LedgerCopies, 'copyFile'>;
  readonly node: string;
  /** Where the ledger is. */
  readonly dir: string;
  /** Changes when a server was lost, and perhaps its memory with it. */
  readonly session: () => number;
  /** A clock that is never set, milliseconds. */
  readonly now: () => number;
  readonly log: Log;
}

export class LedgerCopier {
  readonly #copied = new Map<string, Copied>();
  #session: number | undefined;
  #nextMs = -Infinity;

  readonly #faults: RecurringFault;

  constructor(private readonly options: LedgerCopierOptions) {
    this.#faults = new RecurringFault(options.log);
  }

  /** For a node that copies its ledger to the Redis of its frames. */
  static of(
    { node, ledgerDir: dir }: ClaimParameters,
    redis: RedisFrames,
    log: Log,
  ): LedgerCopier | undefined {
    const { copies } = redis;
    const [session, now] = [() => redis.session, () => performance.now()];
    return copies && new LedgerCopier({ copies, node, dir, session, now, log });
  }

  /** Copies what is new, if it is time; never rejects. */
  async tick(): Promise<void> {
    const { now } = this.options;
    if (now() < this.#nextMs) return;
    this.#nextMs = now() + EVERY_MS;
    try {
      await this.#copyAll();
      this.#faults.clear('the ledger is copied to Redis again');
    } catch (error) {
      this.#faults.report({
        code: 'ledger-copy',
        message: `the ledger cannot be copied to Redis (${(error as Error).message}); until it can, ledger --fleet lacks the newest periods of this node`,
      });
    }
  }

  async #copyAll(): Promise<void> {
    const { copies, node, dir, session } = this.options;
    if (this.#session !== session()) this.#copied.clear();
    this.#session = session();
    const oldest = hourOf(Date.now() - COPIES_KEPT_MS);
    const names = (await listLedgerFiles(dir)).filter(({ hour }) => hour >= oldest).map(ledgerFileName);
    for (const name of this.#copied.keys()) if (!names.includes(name)) this.#copied.delete(name);
    for (const name of names) {
      const copied = await copies.copyFile(node, path.join(dir, name), this.#copied.get(name));
      if (copied !== undefined) this.#copied.set(name, copied);
    }
  }
}
