/**
 * Checks that every primary of a Cluster answers and still is a primary, before the Cluster counts as ready
 * and while it is used. Only the other nodes know the successor of a frozen primary, and a client that asks
 * them after a command has timed out learns of it seconds late.
 */
import type { Cluster, Redis } from 'ioredis';
import { withDeadline } from '../clock/sleep';
import { isReply } from './redis-fault';
import { untilOver } from './until-over';

/** A primary that has not answered this long after another one did is frozen or gone, however far away the Cluster is. */
const PATIENCE_MS = 1000;
const READ_MS = 50;
const LOOK_MS = 500;
/** A reply that takes longer may come from a primary that was frozen and replaced. */
const SLOW_MS = 500;
/** For this long after trouble every reply is verified. */
const MEMORY_MS = 15_000;
const DOWN = 'CLUSTERDOWN';

const watches = new WeakMap<object, ClusterWatch>();

/** Watches for as long as the Cluster client exists. */
export function watchPrimaries(cluster: Cluster): void {
  waitForPrimaries(cluster);
  watches.set(cluster, new ClusterWatch(cluster));
}

/** See {@link ClusterWatch.settled}; undefined for a client that is not of a Cluster. */
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
   * Writes, and makes sure that no primary was being replaced: a frozen primary that wakes executes the
   * commands waiting for it, answers OK, and discards them when it learns of its successor. Other nodes are
   * asked only after a slow reply or trouble, as a Cluster takes longer than that to replace a primary. If
   * none answers, the reply counts.
   * @throws what the write throws, or an error with a text for redisFault
   */
  async settled<Reply>(write: () => Promise<Reply>): Promise<Reply> {
    const begunMs = performance.now();
    // The node that answers may have lost its slots by then.
    const asked = addressesOf(this.cluster.nodes('master'));
    const reply = await write();
    const nowMs = performance.now();
    const isSure = nowMs - begunMs < SLOW_MS && nowMs - this.#troubledMs > MEMORY_MS;
    if (isSure || !(await this.#isReplacing(asked))) return reply;
    this.cluster.refreshSlotsCache();
    throw new Error(`${DOWN}: a primary is being replaced`);
  }

  /** Whether any primary names other primaries than those used; a replaced one may not know its successor. */
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
    // Commands sent to a replaced primary are then sent to the new one.
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
 * Makes a Cluster count as ready only when its primaries answer. ioredis itself asks one arbitrary node: a
 * frozen one keeps it waiting for as long as a command may take, and one may not know of the change yet.
 */
function waitForPrimaries(cluster: Cluster): void {
  const asking = cluster as unknown as { readyCheck: (callback: (fault: Error | null) => void) => void };
  asking.readyCheck = (callback) => {
    primariesAnswer(cluster.nodes('master')).then(
      () => callback(null),
      (error: unknown) => {
        callback(error as Error);
        // ioredis retries on its own; waiting callers get the reason.
        if (cluster.listenerCount('error') > 0) cluster.emit('error', error);
      },
    );
  };
}

/**
 * A primary that refuses connections does not hold up the others: its frames fail at once, and wait.
 * @throws Error with a text for redisFault, or the message of the last node if none answered
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

/** Whether the primary answered; a refusal counts as an answer. */
function isAnswer(outcome: PromiseSettledResult<unknown>): boolean {
  return outcome.status === 'fulfilled' || isReply(outcome.reason as Error);
}

/** The outcomes of all; undefined if one has not answered in time. */
async function answersOf(asked: readonly Promise<unknown>[]) {
  const ended = Promise.allSettled(asked);
  const answers = asked.map(async (reply) => {
    await reply.catch((error: unknown) => {
      if (!isReply(error as Error)) throw error;
    });
  });
  await Promise.any(answers).catch(() => undefined);
  // If this process itself was blocked, the time is over before it has read the reply.
  return (await withDeadline(ended, PATIENCE_MS)) ?? withDeadline(ended, READ_MS);
}
