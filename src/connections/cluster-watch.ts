/**
 * Whether every primary of a Cluster answers, and is still one: before it counts as ready, and as long as it is used. Who replaces a frozen
 * one is known to the other nodes only, and a client that asks them when a command has timed out learns it seconds late.
 */
import type { Cluster, Redis } from 'ioredis';
import { withDeadline } from '../clock/sleep';
import { isReply } from './redis-fault';
import { untilOver } from './until-over';

/** A primary that has not answered this long after another one is frozen or gone, however far away the Cluster is. */
const PATIENCE_MS = 1000;
const READ_MS = 50;
const LOOK_MS = 500;
/** A reply that takes longer may be that of a primary that was frozen and replaced. */
const SLOW_MS = 500;
/** For this long after trouble every reply is made sure of. */
const MEMORY_MS = 15_000;
const DOWN = 'CLUSTERDOWN';

const watches = new WeakMap<object, ClusterWatch>();

/** For as long as the Cluster client exists. */
export function watchPrimaries(cluster: Cluster): void {
  waitForPrimaries(cluster);
  watches.set(cluster, new ClusterWatch(cluster));
}

/** See {@link ClusterWatch.settled}; undefined for a client of no Cluster. */
export function clusterWatchOf(client: object): Pick<ClusterWatch, 'settled'> | undefined {
  return watches.get(client);
}

class ClusterWatch {
  #looking = false;
  /** When a primary last did not answer, milliseconds of performance.now(). */
  #troubledMs = -Infinity;

  constructor(private readonly cluster: Cluster) {
    const timer = setInterval(() => void this.#look(), LOOK_MS);
    untilOver(cluster, () => clearInterval(timer));
  }

  /**
   * Writes, and makes sure that no primary was being replaced: one that wakes takes what waited for it, answers OK, and
   * forgets it when it learns of its successor. Others are asked only after a slow reply or trouble: to replace a
   * primary takes a Cluster longer than that. When none answers the reply counts.
   * @throws what the write throws, or an error that redisFault words
   */
  async settled<Reply>(write: () => Promise<Reply>): Promise<Reply> {
    const begunMs = performance.now();
    // The one that answers may be left out of the slots by then.
    const asked = addressesOf(this.cluster.nodes('master'));
    const reply = await write();
    const nowMs = performance.now();
    const isSure = nowMs - begunMs < SLOW_MS && nowMs - this.#troubledMs > MEMORY_MS;
    if (isSure || !(await this.#isReplacing(asked))) return reply;
    this.cluster.refreshSlotsCache();
    throw new Error(`${DOWN}: a primary is being replaced`);
  }

  /** Whether a primary names others than those that were used; the one that was replaced may not know. */
  async #isReplacing(used: readonly string[]): Promise<boolean> {
    const primaries = this.cluster.nodes('master');
    const own = new Set([...used, ...addressesOf(primaries)]);
    const asked = primaries.map(async (primary) =>
      ownersIn(await primary.cluster('SLOTS'), primary.options.host ?? ''),
    );
    const answers = await Promise.all(
      asked.map(async (owners) => withDeadline(owners, PATIENCE_MS).catch(() => undefined)),
    );
    return answers.some((owners) => owners !== undefined && [...own].some((address) => !owners.has(address)));
  }

  async #look(): Promise<void> {
    if (this.#looking || this.cluster.status !== 'ready') return;
    this.#looking = true;
    const outcomes = await answersOf(this.cluster.nodes('master').map((primary) => primary.ping()));
    this.#looking = false;
    if (outcomes?.every(isAnswer) === true) return;
    this.#troubledMs = performance.now();
    // What was sent to one that was replaced is sent to the new one, then.
    this.cluster.refreshSlotsCache();
  }
}

function addressesOf(primaries: readonly Redis[]): string[] {
  return primaries.map(({ options: { host = '', port = 0 } }) => `${host}:${port}`);
}

/**
 * Addresses of the nodes that own slots: https://redis.io/docs/latest/commands/cluster-slots/
 * @param asked the host that answered: a node that does not know its own address leaves it out
 */
function ownersIn(slots: unknown, asked: string): ReadonlySet<string> {
  const ranges = slots as readonly (readonly [number, number, readonly [string | null, number]])[];
  return new Set(
    ranges.map(([, , [host, port]]) => `${host === null || host === '' ? asked : host}:${port}`),
  );
}

/**
 * Has a Cluster take itself for ready only then. ioredis itself asks one node, whichever: a frozen one keeps it waiting
 * for as long as a command may take, and of another that does not know yet it learns nothing.
 */
function waitForPrimaries(cluster: Cluster): void {
  const asking = cluster as unknown as { readyCheck: (callback: (fault: Error | null) => void) => void };
  asking.readyCheck = (callback) => {
    primariesAnswer(cluster.nodes('master')).then(
      () => callback(null),
      (error: unknown) => {
        callback(error as Error);
        // It retries on its own; whoever waits for it gets the reason.
        if (cluster.listenerCount('error') > 0) cluster.emit('error', error);
      },
    );
  };
}

/**
 * One that refuses a connection does not hold up the others: its frames fail at once, and wait.
 * @throws Error that redisFault has words for, or what the last node said when none answered
 */
async function primariesAnswer(primaries: readonly Redis[]): Promise<void> {
  const outcomes = await answersOf(primaries.map(async (primary) => primary.cluster('INFO')));
  if (outcomes === undefined) throw new Error(`${DOWN}: a primary does not answer`);
  const faults = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as Error] : failureIn(outcome.value),
  );
  const said = faults.find(({ message }) => message.startsWith(DOWN));
  if (said !== undefined || faults.length === outcomes.length) throw said ?? faults.at(-1) ?? new Error(DOWN);
}

function failureIn(info: unknown): Error[] {
  return /^cluster_state:fail/m.test(String(info))
    ? [new Error(`${DOWN}: the state of the cluster is fail`)]
    : [];
}

/** A refusal is one, too. */
function isAnswer(outcome: PromiseSettledResult<unknown>): boolean {
  return outcome.status === 'fulfilled' || isReply(outcome.reason as Error);
}

/** Undefined when one has not answered in time. */
async function answersOf(asked: readonly Promise<unknown>[]) {
  const ended = Promise.allSettled(asked);
  const answers = asked.map(async (reply) => {
    await reply.catch((error: unknown) => {
      if (!isReply(error as Error)) throw error;
    });
  });
  await Promise.any(answers).catch(() => undefined);
  // Of a process that was held up itself the time is over before it has read what came.
  return (await withDeadline(ended, PATIENCE_MS)) ?? withDeadline(ended, READ_MS);
}
