/** What happens to a fleet of three daemons in the fault table. */
import { askDaemon } from '../../src/control/client';
import type { EtcdCluster } from '../etcd-cluster';
import type { Network } from '../fault-proxy';
import type { Node } from '../fleet';
import { signalIfThere, waitUntil } from '../process';
import type { Cable } from './cables';
import { fleetClusterRows } from './fleet-cluster-rows';
import { passed, type FleetStage } from './fleet-stage';
import type { StageName } from './stage';

export interface FleetRow {
  readonly name: string;
  /** Servers that it needs; one of each without. */
  readonly needs?: StageName;
  /** No camera may change its node. */
  readonly isStill?: true;
  /** No camera may miss a period. */
  readonly isWhole?: true;
  /**
   * Does it, and undoes it.
   * @param onGone called when cameras have lost their node, from when their take-over counts
   * @returns `late` where this machine was too slow for what the row is to show, and cameras may have moved by right
   */
  readonly run: (stage: FleetStage, onGone: (cameras: readonly string[]) => void) => Promise<unknown>;
}

/** For how long what is silent is silent: three times a lease. */
const FAULT_MS = 15_000;
const HOUR_MS = 3_600_000;
/** The last renewal may have been a second before the kill, and the keys are put under the new lease one by one. */
const WITHIN_LEASE_MS = 3000;
const ALL: readonly Cable[] = ['etcd', 'redis', 'rabbitmq'];

const kill: FleetRow['run'] = async (stage, onGone) => {
  const { victim, cameras } = await stage.busiest();
  victim.daemon.signal('SIGKILL');
  onGone(cameras);
  await stage.gone(victim);
  await stage.shared();
  await stage.restart(victim);
};

const freeze: FleetRow['run'] = async (stage, onGone) => {
  const { victim, cameras } = await stage.busiest();
  const { daemon } = victim;
  const pids = [daemon.pid, ...(await daemon.status()).children.flatMap(({ pid }) => pid ?? [])];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  onGone(cameras);
  await stage.shared(stage.others(victim));
  // An actor may have been taken for dead, and replaced.
  for (const pid of pids.toReversed()) signalIfThere(pid, 'SIGCONT');
};

const back: FleetRow['run'] = async (stage) => {
  const { victim } = await stage.busiest();
  const killedMs = performance.now();
  victim.daemon.signal('SIGKILL');
  await stage.gone(victim);
  await stage.restart(victim);
  return performance.now() - killedMs > WITHIN_LEASE_MS ? 'late' : undefined;
};

async function drainNode(stage: FleetStage, victim: Node): Promise<void> {
  await askDaemon(victim.daemon.dataDir, '/drain', {});
  await stage.gone(victim);
  await stage.shared();
}

const drain: FleetRow['run'] = async (stage) => {
  const { victim } = await stage.busiest();
  await drainNode(stage, victim);
  await stage.restart(victim);
};

const restartAll: FleetRow['run'] = async (stage) => {
  for (const node of [...stage.nodes]) {
    await drainNode(stage, node);
    await stage.restart(node);
  }
};

const join: FleetRow['run'] = async (stage) => {
  const joined = await stage.start('d');
  const { fleet } = stage;
  const announces = () => fleet.ids.some((id) => fleet.events.frames(id).at(-1)?.node === 'd');
  await waitUntil('the node that joined announces', announces, 60_000);
  await drainNode(stage, joined);
};

/** A node without some of its servers. Where it loses etcd, the others take its cameras meanwhile. */
function cut(cables: readonly Cable[], network: Network): FleetRow['run'] {
  return async (stage, onGone) => {
    const { victim, cameras } = await stage.busiest();
    stage.cables(victim).set(cables, network);
    if (cables === ALL) onGone(cameras);
    await passed(FAULT_MS);
    if (cables.includes('etcd')) await stage.shared(stage.others(victim));
    stage.cables(victim).set(cables, { kind: 'sound' });
  };
}

function clock(byMs: number): FleetRow['run'] {
  return async (stage) => {
    const { victim } = await stage.busiest();
    stage.setClock(victim, byMs);
    await passed(FAULT_MS);
    stage.setClock(victim, 0);
  };
}

/** @param ms for how long */
async function without(
  etcd: EtcdCluster,
  dead: readonly EtcdCluster['nodes'][number][],
  ms: number,
): Promise<void> {
  for (const node of dead) await node.kill();
  await passed(ms);
  for (const node of dead) await node.start();
  await etcd.answers();
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

const BLACK_HOLE: Network = { kind: 'black-hole' };
const UNMOVED = { isStill: true, isWhole: true } as const;

export const FLEET_ROWS: readonly FleetRow[] = [
  { name: 'node-kill', run: kill },
  { name: 'node-freeze', run: freeze },
  { name: 'node-back-within-lease', isStill: true, run: back },
  { name: 'node-cut-etcd', isWhole: true, run: cut(['etcd'], BLACK_HOLE) },
  { name: 'node-cut-redis', ...UNMOVED, run: cut(['redis'], BLACK_HOLE) },
  { name: 'node-cut-rabbitmq', ...UNMOVED, run: cut(['rabbitmq'], BLACK_HOLE) },
  { name: 'node-cut-all', isWhole: true, run: cut(ALL, BLACK_HOLE) },
  { name: 'node-mute', isWhole: true, run: cut(ALL, { kind: 'mute' }) },
  { name: 'node-deaf', isWhole: true, run: cut(ALL, { kind: 'deaf' }) },
  { name: 'node-clock-forward', run: clock(HOUR_MS) },
  { name: 'node-clock-back', run: clock(-HOUR_MS) },
  { name: 'drain', isWhole: true, run: drain },
  { name: 'join', isWhole: true, run: join },
  { name: 'rolling-restart', isWhole: true, run: restartAll },
  {
    name: 'etcd-leader-kill',
    ...UNMOVED,
    run: async ({ etcd }) => without(etcd, [await leaderOf(etcd)], FAULT_MS),
  },
  {
    name: 'etcd-quorum-loss',
    ...UNMOVED,
    run: async ({ etcd }) => without(etcd, etcd.nodes.slice(0, 2), 2 * FAULT_MS),
  },
  { name: 'etcd-restart', ...UNMOVED, run: async ({ etcd }) => without(etcd, etcd.nodes, 2000) },
  ...fleetClusterRows,
];
