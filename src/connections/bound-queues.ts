/** Queues that receive Vigil's messages but do not, or no longer, belong to it. The broker's state is passed in. */
import { deadLetterName, defaultQueue, frameExchange } from '../contract/broker-names';

/** A binding of an exchange to a queue or to another exchange. */
export interface BrokerBinding {
  readonly to: string;
  readonly kind: 'queue' | 'exchange';
}

/** The broker's state that AMQP does not report: which queue is bound to which exchange. */
export interface BrokerView {
  /** Bindings of the exchange; empty if it does not exist. */
  bindings(exchange: string): Promise<readonly BrokerBinding[]>;
  /** Undefined if the queue does not exist. */
  queue(name: string): Promise<QueueCounts | undefined>;
}

export interface QueueCounts {
  readonly messages: number;
  readonly consumers: number;
}

export interface BoundQueue extends QueueCounts {
  readonly name: string;
  /** `old`: Vigil declared it under an earlier configuration; `foreign`: another program declared it. */
  readonly origin: 'old' | 'foreign';
  /** Vigil's exchanges whose messages it receives. */
  readonly boundTo: readonly string[];
}

/** What `status` reports about such queues. */
export type QueuesAnswer =
  | { readonly kind: 'known'; readonly queues: readonly BoundQueue[] }
  /** Why they are unknown, or how to find out: the end of a sentence. */
  | { readonly kind: 'unknown'; readonly message: string };

/** More than any installation has; each may cost a request to the broker. */
const MAX_QUEUES = 200;

/** @param names queues that Vigil has ever declared for this namespace */
export async function boundQueues(
  view: BrokerView,
  {
    namespace,
    own: present,
    names,
  }: {
    readonly namespace: string;
    /** Vigil's current queues. */
    readonly own: readonly string[];
    readonly names: readonly string[];
  },
): Promise<BoundQueue[]> {
  const own = new Set(withDeadLetters(present));
  const old = new Set(withDeadLetters([defaultQueue(namespace), ...names]).filter((name) => !own.has(name)));
  const bound = new Map<string, string[]>([...old].map((name) => [name, []]));
  for (const exchange of new Set([frameExchange(namespace), ...own, ...old]))
    for (const name of await reachedFrom(view, exchange))
      if (!own.has(name)) bound.set(name, [...(bound.get(name) ?? []), exchange]);
  const found: BoundQueue[] = [];
  for (const name of [...bound.keys()].sort().slice(0, MAX_QUEUES)) {
    const counts = await view.queue(name);
    const [origin, boundTo] = [old.has(name) ? 'old' : 'foreign', bound.get(name) ?? []] as const;
    if (counts !== undefined) found.push({ name, origin, ...counts, boundTo });
  }
  return found;
}

function withDeadLetters(names: readonly string[]): string[] {
  return names.flatMap((name) => [name, deadLetterName(name)]);
}

/** Queues behind an exchange, also by way of other exchanges. */
async function reachedFrom(view: BrokerView, exchange: string): Promise<ReadonlySet<string>> {
  const [queues, exchanges] = [new Set<string>(), new Set([exchange])];
  for (const each of exchanges)
    for (const { to, kind } of await view.bindings(each)) (kind === 'queue' ? queues : exchanges).add(to);
  return queues;
}
