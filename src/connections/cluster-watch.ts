/**
 * Whether every primary of a Cluster answers: before it counts as ready, and as long as it is used. Who replaces a frozen
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
const DOWN = 'CLUSTERDOWN';

/** For as long as the Cluster client exists. */
export function watchPrimaries(cluster: Cluster): void {
  waitForPrimaries(cluster);
  let looking = false;
  const look = async () => {
    if (looking || cluster.status !== 'ready') return;
    looking = true;
    const outcomes = await answersOf(cluster.nodes('master').map((primary) => primary.ping()));
    looking = false;
    // What was sent to one that was replaced is sent to the new one, then.
    if (outcomes?.every(isAnswer) !== true) cluster.refreshSlotsCache();
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  untilOver(cluster, () => clearInterval(timer));
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
