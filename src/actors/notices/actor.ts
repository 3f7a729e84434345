/** The notices actor: looks at the daemon every two seconds and notifies webhooks of each trouble and its end. No frames pass through it. */
import path from 'node:path';
import { sleep } from '../../clock/sleep';
import type { WebhookSpec } from '../../config/topology';
import { askDaemon } from '../../control/client';
import type { DaemonStatus } from '../../control/protocol';
import { faultRecord, type FaultRecord } from '../../fault/fault';
import { RecurringFault } from '../../fault/recurring';
import { startLoop, type Actor, type ActorContext, type ActorLoop } from '../../protocol/actor';
import type { NoticesParameters } from '../../protocol/messages';
import type { Progress } from '../../protocol/progress';
import type { ConfiguredCamera } from '../../supervisor/status';
import { Outbox } from './outbox';
import { post } from './post';
import { seenOf } from './seen';
import { keysOf, readState, writeState, type KeptState } from './state-file';
import { Troubles } from './troubles';

const LOOK_MS = 2000;

interface Webhook {
  readonly key: string;
  readonly troubles: Troubles;
  readonly outbox: Outbox;
}

export default function startNotices(context: ActorContext<NoticesParameters>): Actor {
  return startLoop(new NoticesActor(context));
}

class NoticesActor implements ActorLoop {
  readonly #stopping = new AbortController();
  readonly #file: string;
  readonly #webhooks: readonly Webhook[];
  readonly #lookFaults: RecurringFault;
  readonly #fileFaults: RecurringFault;
  #looks = 0;
  #lookFault: FaultRecord | undefined;
  #written = '';

  constructor(private readonly context: ActorContext<NoticesParameters>) {
    const { dataDir, webhooks, namespace } = context.parameters;
    this.#file = path.join(dataDir, 'notices.json');
    this.#lookFaults = new RecurringFault(context.log);
    this.#fileFaults = new RecurringFault(context.log);
    const kept = this.#read();
    const keys = keysOf(webhooks);
    const now = { atMs: Date.now(), clockMs: performance.now() };
    this.#webhooks = webhooks.map((spec, i) => {
      const key = keys[i] ?? '';
      const { troubles = {}, waiting = [] } = kept[key] ?? {};
      return {
        key,
        troubles: new Troubles(spec, namespace, troubles, now),
        outbox: this.#outboxOf(spec, waiting),
      };
    });
  }

  receive(): void {
    // No command concerns it.
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    const sending = this.#webhooks.map(({ outbox }) => outbox.run(signal));
    this.context.report({ kind: 'readiness' });
    while (!signal.aborted) {
      await this.#look();
      await sleep(LOOK_MS, signal);
    }
    await Promise.all(sending);
    this.#write();
  }

  progress(): Progress {
    const sum = (of: (outbox: Outbox) => number) =>
      this.#webhooks.reduce((total, { outbox }) => total + of(outbox), 0);
    const fault = this.#lookFault ?? this.#webhooks.find(({ outbox }) => outbox.fault)?.outbox.fault;
    return {
      done: this.#looks,
      ...(fault === undefined ? {} : { fault }),
      facts: {
        webhooks: this.#webhooks.length,
        sent: sum(({ sent }) => sent),
        waiting: sum(({ waiting }) => waiting.length),
      },
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  async #look(): Promise<void> {
    const { dataDir, spool } = this.context.parameters;
    try {
      const [status, cameras] = (await Promise.all([
        askDaemon(dataDir, '/status'),
        askDaemon(dataDir, '/cameras'),
      ])) as [DaemonStatus, ConfiguredCamera[]];
      // Stopping: cameras end first.
      if (this.#stopping.signal.aborted) return;
      const seen = seenOf(status, cameras, spool, { atMs: Date.now(), clockMs: performance.now() });
      for (const { troubles, outbox } of this.#webhooks) outbox.add(troubles.look(seen));
      this.#looks++;
      this.#lookFault = undefined;
      this.#lookFaults.clear('the daemon answers again: notices are made again');
      this.#write();
    } catch (error) {
      const { code, message } = faultRecord(error, 'daemon-silent');
      this.#lookFault = { code, message: `no notices can be made: ${message}` };
      this.#lookFaults.report(this.#lookFault);
    }
  }

  #outboxOf({ url, secret }: WebhookSpec, waiting: ConstructorParameters<typeof Outbox>[1]): Outbox {
    // The path of a webhook is often a secret itself.
    const who = `the webhook at ${new URL(url).host}`;
    const { log } = this.context;
    const faults = new RecurringFault(log);
    return new Outbox(
      {
        ...{ url, secret, post },
        onChange: () => this.#write(),
        onFault: (fault) => {
          if (fault === undefined) faults.clear(`${who} takes notices again`);
          else
            faults.report({
              code: 'webhook-failed',
              message: `${who} ${fault.message}; notices wait and are sent again`,
            });
        },
        onLost: (count, why) =>
          log.warn(
            `${count} ${count === 1 ? 'notice' : 'notices'} for ${who} ${count === 1 ? 'is' : 'are'} given up: ${why}`,
            {
              code: 'notices-lost',
            },
          ),
      },
      waiting,
    );
  }

  #read(): KeptState {
    try {
      return readState(this.#file);
    } catch (error) {
      this.context.log.warn(
        `${this.#file} cannot be read (${(error as Error).message}); earlier notices are not known, and may be sent again`,
        { code: 'notices-state' },
      );
      return {};
    }
  }

  /** When anything has changed. */
  #write(): void {
    const state: KeptState = Object.fromEntries(
      this.#webhooks.map(({ key, troubles, outbox }) => [
        key,
        { troubles: troubles.kept, waiting: outbox.waiting },
      ]),
    );
    const text = JSON.stringify(state);
    if (text === this.#written) return;
    try {
      writeState(this.#file, text);
      this.#written = text;
      this.#fileFaults.clear('sent notices are written to disk again');
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      this.#fileFaults.report({
        code: 'notices-state',
        message: `${this.#file} cannot be written (${code}): after a restart, notices may be repeated or lost`,
      });
    }
  }
}
