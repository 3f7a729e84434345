/** What happens to a fleet of three daemons in the fault table. */
import { askDaemon } from '../../src/control/client';
import type { EtcdCluster } from '../etcd-cluster';
import { waitUntil } from '../process';
import type { Fleet, Node } from '../fleet';

export interface FleetStage {
  readonly fleet: Fleet;
  readonly etcd: EtcdCluster;
  /** Those that run. */
  readonly nodes: Node[];
}

export interface FleetRow {
  readonly name: string;
  /**
   * Does it, and undoes it.
   * @param onGone called when cameras have lost their node, from when their take-over counts
   */
  readonly run: (stage: FleetStage, onGone: (cameras: readonly string[]) => void) => Promise<void>;
}

/** For how long what is silent is silent. */
const FAULT_MS = 15_000;

export const FLEET_ROWS: readonly FleetRow[] = [
  { name: 'node-kill', run: async (stage, onGone) => kill(stage, onGone) },
  { name: 'node-freeze', run: async (stage, onGone) => freeze(stage, onGone) },
  { name: 'drain', run: async (stage) => drain(stage) },
  {
    name: 'join',
    run: async (stage) => {
      const joined = stage.fleet.start('d');
      stage.nodes.push(joined);
      await announcedBy(stage, 'd');
      await drainNode(stage, joined);
    },
  },
  {
    name: 'etcd-leader-kill',
    run: async ({ etcd }) => {
      const leader = await leaderOf(etcd);
      await leader.kill();
      await passed(FAULT_MS);
      await leader.start();
      await etcd.answers();
    },
  },
  {
    name: 'etcd-quorum-loss',
    run: async ({ etcd }) => {
      const [first, second] = etcd.nodes;
      for (const node of [first, second]) await node?.kill();
      await passed(2 * FAULT_MS);
      for (const node of [first, second]) await node?.start();
      await etcd.answers();
    },
  },
];

async function kill(
  { fleet, nodes }: FleetStage,
  onGone: (cameras: readonly string[]) => void,
): Promise<void> {
  const { victim, cameras } = await busiest(fleet, nodes);
  victim.daemon.signal('SIGKILL');
  onGone(cameras);
  await victim.daemon.exited;
  nodes.splice(nodes.indexOf(victim), 1);
  await fleet.shared(nodes);
  await fleet.announcing();
  nodes.push(fleet.start(victim.name, { dir: victim.daemon.dir }));
}

async function freeze(
  { fleet, nodes }: FleetStage,
  onGone: (cameras: readonly string[]) => void,
): Promise<void> {
  const { victim, cameras } = await busiest(fleet, nodes);
  const { daemon } = victim;
  const pids = [daemon.pid, ...(await daemon.status()).children.flatMap(({ pid }) => pid ?? [])];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  onGone(cameras);
  await fleet.shared(nodes.filter((node) => node !== victim));
  await fleet.announcing();
  for (const pid of pids.toReversed()) {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // The actor was taken for dead, and replaced.
    }
  }
}

async function drain(stage: FleetStage): Promise<void> {
  const { victim } = await busiest(stage.fleet, stage.nodes);
  await drainNode(stage, victim);
  stage.nodes.push(stage.fleet.start(victim.name, { dir: victim.daemon.dir }));
}

async function drainNode({ fleet, nodes }: FleetStage, victim: Node): Promise<void> {
  await askDaemon(victim.daemon.dataDir, '/drain', {});
  await victim.daemon.exited;
  nodes.splice(nodes.indexOf(victim), 1);
  await fleet.shared(nodes);
}

/** The node with most cameras: a node that has just come back may have none. */
async function busiest(fleet: Fleet, nodes: readonly Node[]): Promise<{ victim: Node; cameras: string[] }> {
  const owners = await fleet.shared(nodes);
  const of = ({ name }: Node) => [...owners].filter(([, owner]) => owner === name).map(([id]) => id);
  const victim = nodes.toSorted((a, b) => of(b).length - of(a).length)[0];
  if (victim === undefined) throw new Error('no node runs');
  return { victim, cameras: of(victim) };
}

async function announcedBy({ fleet }: FleetStage, name: string): Promise<void> {
  await waitUntil(
    `${name} announces`,
    () => fleet.ids.some((id) => fleet.events.frames(id).at(-1)?.node === name),
    60_000,
  );
}

/** By etcd's own word. */
async function leaderOf({ nodes }: EtcdCluster): Promise<EtcdCluster['nodes'][number]> {
  for (const node of nodes) {
    const answer = await fetch(`${node.endpoint}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const { header, leader } = (await answer.json()) as { header: { member_id: string }; leader: string };
    if (header.member_id === leader) return node;
  }
  throw new Error('etcd has no leader');
}

async function passed(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  await waitUntil('the fault has lasted', () => performance.now() > endMs, ms + 10_000);
}
