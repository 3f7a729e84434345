/** The parts of etcd that a fleet needs: leases, keys under them, transactions, and a watch that survives all but compaction. */
import type { IncomingMessage } from 'node:http';
import { backOffMs, type BackOff } from '../clock/back-off';
import { sleep } from '../clock/sleep';
import { faultRecord, type FaultRecord } from '../fault/fault';
import { LineSplitter } from '../os/line-splitter';
import { answerFault, etcdFault } from './fault';
import { Gateway, type EtcdAccess } from './gateway';
import {
  encode,
  keyValueOf,
  eventOf,
  prefixEnd,
  wireCompare,
  wireOperation,
  type Compare,
  type KeyValue,
  type EtcdEvent,
  type Operation,
  type WireEntry,
  type WireEvent,
} from './wire';

export type { EtcdAccess } from './gateway';
export type { Compare, KeyValue, EtcdEvent, Operation } from './wire';

const AGAIN: BackOff = { firstMs: 100, capMs: 1000 };
/** etcd accepts requests of up to 1.5 MB; a watch reports all changes of one revision together. */
const MAX_LINE_CHARS = 64 * 1024 * 1024;

/** Everything below a prefix at one moment. */
export interface Snapshot {
  readonly entries: readonly KeyValue[];
  readonly revision: number;
}

export interface Watcher {
  /** The complete state: at first, and whenever intermediate changes were missed. */
  readonly onSnapshot: (entries: readonly KeyValue[]) => void;
  /** Something has changed: all changes of one moment together. */
  readonly onEvents: (events: readonly EtcdEvent[]) => void;
  /** Why the watch is broken; undefined if it works. Called with every answer. */
  readonly onFault: (fault: FaultRecord | undefined) => void;
}

interface Header {
  readonly header: { readonly revision?: string };
}

export class Etcd {
  readonly #gateway: Gateway;
  readonly #closing = new AbortController();
  readonly #watches = new Set<Promise<void>>();
  /** Ends the streams of the current watches, which are then begun again. */
  #streams = new AbortController();

  constructor(access: EtcdAccess) {
    this.#gateway = new Gateway(access);
  }

  /** Ends all watches and connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#watches);
    this.#gateway.close();
  }

  /**
   * A new lease; keys put with it are removed when it ends.
   * @throws Fault, as all methods here do
   */
  async grant(ttlSeconds: number): Promise<string> {
    const { ID } = await this.#ask<{ ID: string }>('lease/grant', { TTL: String(ttlSeconds) });
    return ID;
  }

  /** Renews a lease for its whole time. False when it has ended. */
  async keepAlive(lease: string): Promise<boolean> {
    const { result } = await this.#ask<{ result?: { TTL?: string } }>('lease/keepalive', { ID: lease });
    return Number(result?.TTL ?? 0) > 0;
  }

  /** Ends a lease, and removes its keys. */
  async revoke(lease: string): Promise<void> {
    await this.#ask('lease/revoke', { ID: lease });
  }

  /** All keys that begin with `prefix`. */
  async list(prefix: string): Promise<Snapshot> {
    const range = { key: encode(prefix), range_end: encode(prefixEnd(prefix)) };
    const { header, kvs = [] } = await this.#ask<Header & { kvs?: WireEntry[] }>('kv/range', range);
    return { entries: kvs.map(keyValueOf), revision: Number(header.revision ?? 0) };
  }

  /** One key; undefined if it is absent. */
  async get(key: string): Promise<KeyValue | undefined> {
    const { kvs = [] } = await this.#ask<{ kvs?: WireEntry[] }>('kv/range', { key: encode(key) });
    return kvs.map(keyValueOf)[0];
  }

  /** Executes all operations atomically if all conditions hold; false if one does not, and nothing was done. */
  async transact(conditions: readonly Compare[], operations: readonly Operation[]): Promise<boolean> {
    const request = { compare: conditions.map(wireCompare), success: operations.map(wireOperation) };
    const { succeeded = false } = await this.#ask<{ succeeded?: boolean }>('kv/txn', request);
    return succeeded;
  }

  async put(key: string, value: string, lease?: string): Promise<void> {
    await this.transact([], [{ put: key, value, ...(lease === undefined ? {} : { lease }) }]);
  }

  /** Follows everything below `prefix` until {@link Etcd.close}. Never rejects; failures are retried. */
  watch(prefix: string, watcher: Watcher): void {
    const watch = this.#follow(prefix, watcher);
    this.#watches.add(watch);
    void watch.finally(() => this.#watches.delete(watch));
  }

  /** The watches have missed changes: they continue at another endpoint, from their current revision. */
  rewatch(): void {
    this.#gateway.leave();
    this.#streams.abort();
    this.#streams = new AbortController();
  }

  async #follow(prefix: string, watcher: Watcher): Promise<void> {
    const { signal } = this.#closing;
    let next: number | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (next === undefined) {
          const { entries, revision } = await this.list(prefix);
          watcher.onSnapshot(entries);
          next = revision + 1;
        }
        for await (const { header, events = [] } of this.#events(prefix, next)) {
          watcher.onFault(undefined);
          failures = 0;
          // The present revision, in the answer that the watch was created: what lies between is still to come. An etcd
          // that lost its data counts from 1 again.
          const revision = Number(header.revision ?? 0);
          if (events.length === 0 && revision >= next - 1) continue;
          if (events.length === 0)
            throw etcdFault('etcd-compacted', 'etcd counts its revisions from the beginning again');
          next = revision + 1;
          watcher.onEvents(events.map(eventOf));
        }
        failures++;
      } catch (error) {
        const fault = faultRecord(error, 'etcd');
        if (fault.code === 'etcd-compacted') {
          next = undefined;
          continue;
        }
        failures++;
        watcher.onFault(fault);
      }
      await sleep(backOffMs(AGAIN, failures, Math.random()), signal);
    }
  }

  /** Answers of one watch, until its stream ends. */
  async *#events(prefix: string, revision: number): AsyncGenerator<Header & { events?: WireEvent[] }> {
    const ended = AbortSignal.any([this.#closing.signal, this.#streams.signal]);
    const request = {
      create_request: {
        key: encode(prefix),
        range_end: encode(prefixEnd(prefix)),
        start_revision: String(revision),
      },
    };
    const stream = await this.#gateway.stream('/v3/watch', request, ended);
    for await (const line of linesOf(stream)) {
      const { result, error } = JSON.parse(line) as WatchLine;
      if (error !== undefined) throw answerFault('http://etcd', 500, JSON.stringify(error));
      if (result === undefined) continue;
      if (result.canceled === true) throw canceled(result);
      yield result;
    }
  }

  async #ask<Answer>(call: string, body: object): Promise<Answer> {
    return this.#gateway.ask<Answer>(`/v3/${call}`, body);
  }
}

interface WatchLine {
  readonly result?: Header & {
    readonly events?: WireEvent[];
    readonly canceled?: boolean;
    readonly compact_revision?: string;
    readonly cancel_reason?: string;
  };
  readonly error?: object;
}

function canceled({
  compact_revision: compacted = '0',
  cancel_reason: why = '',
}: NonNullable<WatchLine['result']>) {
  return Number(compacted) > 0
    ? etcdFault('etcd-compacted', 'etcd has compacted what was not read yet')
    : etcdFault('etcd-away', `etcd has ended the watch (${why})`);
}

/** Ends as the stream does, without an error: the watch is begun again. */
async function* linesOf(stream: IncomingMessage): AsyncGenerator<string> {
  const splitter = new LineSplitter(MAX_LINE_CHARS);
  try {
    for await (const text of stream.setEncoding('utf8') as AsyncIterable<string>) yield* splitter.push(text);
  } catch {
    // The stream was cut off, or closed on purpose.
  }
}
