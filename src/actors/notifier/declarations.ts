/** Declares what is absent and may be declared, and reports what another user has declared, or must declare. */
import type { ChannelModel } from 'amqplib';
import { accessRefusal, lacking, type Needs } from '../../connections/rabbitmq-access';
import { redactUrl } from '../../url/url';
import { Fault } from '../../fault/fault';
import {
  ACCESS_REFUSED,
  codeOf,
  exists,
  failureOf,
  NOT_FOUND,
  PRECONDITION_FAILED,
  RESOURCE_LOCKED,
} from './own-channel';
import { DROPPED, type Step } from './topology-steps';

/** An object on the broker that differs from the contract. */
export interface TopologyNote {
  readonly message: string;
  /** Something is missing or differs from the configuration; otherwise another user has declared it. */
  readonly isFault: boolean;
}

export interface DeclarationsOptions {
  readonly url: string;
  readonly onNote: (note: TopologyNote) => void;
  /** A setting of an existing queue differs from the configured one, and stays. */
  readonly onKept: (kept: KeptSetting) => void;
}

export interface KeptSetting {
  /** Such as `queue v.detection`. */
  readonly what: string;
  /** Such as `x-max-length`. */
  readonly setting: string;
  readonly current: string;
  readonly wanted: string;
}

export class Declarations {
  /** Why the queue may not be there, or not bound, as the end of a sentence. */
  hindrance: string | undefined;

  constructor(private readonly options: DeclarationsOptions) {}

  /** @throws Fault `broker-topology` if it is missing and nothing works without it; whatever the connection throws */
  async take(connection: ChannelModel, step: Step): Promise<void> {
    const { what, declare, isQueues } = step;
    const error = await failureOf(connection, declare);
    if (error === undefined) return;
    const code = codeOf(error);
    if (code === PRECONDITION_FAILED) this.#kept(step, error.message);
    else if (code === RESOURCE_LOCKED)
      this.note(`${what} belongs to one connection alone (exclusive); delete it, and it is declared again`);
    else if (code === ACCESS_REFUSED) {
      await this.#refused(connection, step, error.message);
    } else if (code !== NOT_FOUND || step.check !== undefined) throw error;
    // The binding of an object whose absence was already reported.
    else if (isQueues) this.hindrance ??= 'its queue is missing';
  }

  /** The declaration was refused, which matters only if no other user has declared the object. */
  async #refused(connection: ChannelModel, step: Step, said: string): Promise<void> {
    const { what, check, needs, lesser, without, isQueues } = step;
    const lacks = lackOf(said, needs);
    if (check === undefined) {
      if (isQueues) this.hindrance ??= `this user ${lacks}, which binding one takes`;
      this.note(`${what} was not declared: this user ${lacks}; another user must declare it`, false);
      return;
    }
    if (await exists(connection, check)) {
      this.note(`${what} is used as it is: this user ${lacks}`, false);
      return;
    }
    if (lesser !== undefined && (await failureOf(connection, lesser.declare)) === undefined) {
      this.note(
        `${what} is declared without dead letters: this user ${lackOf(said, lesser.lacks)}; ${DROPPED}`,
      );
      return;
    }
    const missing = `${what} is missing, and this user may not declare it: it ${lacks}`;
    if (isQueues) this.hindrance ??= missing;
    if (without !== undefined) {
      this.note(`${missing}; ${without}`);
      return;
    }
    const where = `rabbitmq at ${redactUrl(this.options.url)}`;
    throw new Fault('broker-topology', `${where}: ${missing}; grant that right, or declare it`);
  }

  note(message: string, isFault = true): void {
    this.options.onNote({ message, isFault });
  }

  /** RabbitMQ names the first of the settings that differ. */
  #kept({ what, rename = 'set another "queue.name"' }: Step, said: string): void {
    const kept = keptSetting(what, said);
    if (kept === undefined) {
      this.note(
        `${what} exists with other settings than the configuration's and is used as it is; delete it, and it is declared again`,
      );
      return;
    }
    const { setting, current, wanted } = kept;
    this.options.onKept(kept);
    this.note(
      `${what} keeps ${setting} ${current}, the configuration's ${wanted} is not applied: RabbitMQ cannot change what exists; ${rename}, or delete it when it is empty, and it is declared again`,
    );
  }
}

/** Parsed from RabbitMQ's message for an object that exists with other settings; undefined if it names none. */
export function keptSetting(what: string, said: string): KeptSetting | undefined {
  const [, setting, wanted = 'none', current = 'none'] =
    /inequivalent arg '([^']+)'.*?: received (?:none|(?:the value )?'([^']*)').*? but current is (?:none|(?:the value )?'([^']*)')/.exec(
      said,
    ) ?? [];
  return setting === undefined ? undefined : { what, setting, wanted, current };
}

/** `lacks the right "configure" on queue v.detection` */
export function lackOf(said: string, needs: Needs): string {
  const refusal = accessRefusal(said, needs);
  return refusal === undefined ? `was refused: ${said}` : lacking(refusal);
}
