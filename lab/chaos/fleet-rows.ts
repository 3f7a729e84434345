/** What happens to a fleet of three daemons in the fault table. */
import { askDaemon } from '../../src/control/client';
import type { EtcdCluster } from '../etcd-cluster';
import type { Node } from '../fleet';
import { signalIfThere, waitUntil } from '../process';
import { fleetClusterRows } from './fleet-cluster-rows';
import { twoEditsAtOnce } from './fleet-edit-row';
import { passed, type FleetStage, type ServerKind } from './fleet-stage';
import type { NodeHost } from './node-host';
import type { StageName } from './stage';

/** What a row has to say. */
export interface Witness {
  /** Cameras have lost their node: their take-over counts from now. */
  readonly gone: (cameras: readonly string[]) => void;
  /** This machine was too slow for what the row is to show, and cameras may have moved by right. */
  readonly late: (why: string) => void;
  /** Something was not as it must be. */
  readonly fault: (what: string) => void;
}

export interface FleetRow {
  readonly name: string;
  /** Servers that it needs; one of each without. */
  readonly needs?: StageName;
  /** It is left out unless it is named. */
  readonly onlyNamed?: true;
  /** No camera may change its node. */
  readonly isStill?: true;
  /** No camera may miss a period. */
  readonly isWhole?: true;
  /** Does it, and undoes it. */
  readonly run: (stage: FleetStage, witness: Witness) => Promise<unknown>;
}

/** For how long what is silent is silent: three times a lease. */
const FAULT_MS = 15_000;
const HOUR_MS = 3_600_000;
/** The last renewal may have been a second before the kill, and the keys are put under the new lease one by one. */
const WITHIN_LEASE_MS = 3000;

const kill: FleetRow['run'] = async (stage, { gone }) => {
  const { victim, cameras } = await stage.busiest();
  victim.daemon.signal('SIGKILL');
  gone(cameras);
  await stage.gone(victim);
  await stage.shared();
  await stage.restart(victim);
};

const freeze: FleetRow['run'] = async (stage, { gone }) => {
  const { victim, cameras } = await stage.busiest();
  const { daemon } = victim;
  const pids = [daemon.pid, ...(await daemon.status()).children.flatMap(({ pid }) => pid ?? [])];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  gone(cameras);
  await stage.shared(stage.others(victim));
  // An actor may have been taken for dead, and replaced.
  for (const pid of pids.toReversed()) signalIfThere(pid, 'SIGCONT');
};

const back: FleetRow['run'] = async (stage, { late }) => {
  const { victim } = await stage.busiest();
  const killedMs = performance.now();
  victim.daemon.signal('SIGKILL');
  await stage.gone(victim);
  await stage.restart(victim);
  const tookMs = performance.now() - killedMs;
  if (tookMs > WITHIN_LEASE_MS) late(`the node was a member again after ${Math.round(tookMs)} ms`);
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

/** One node after the other. @param main of the program; that of this checkout without */
async function restartAll(stage: FleetStage, main?: string): Promise<void> {
  for (const node of [...stage.nodes]) {
    await drainNode(stage, node);
    await stage.restart(node, main);
  }
}

/** To the other version, and back: both run side by side twice. */
const changeVersion: FleetRow['run'] = async (stage) => {
  await restartAll(stage, stage.otherMain);
  await restartAll(stage);
};

const join: FleetRow['run'] = async (stage) => {
  const joined = await stage.start('d');
  const { fleet } = stage;
  const announces = () => fleet.ids.some((id) => fleet.events.frames(id).at(-1)?.node === 'd');
  await waitUntil('the node that joined announces', announces, 60_000);
  await drainNode(stage, joined);
};

/** A node without one kind of its servers. */
function cutFrom(kind: ServerKind): FleetRow['run'] {
  return async (stage) => {
    const { victim } = await stage.busiest();
    const host = stage.host(victim);
    for (const port of stage.ports(kind)) await host.lose({ way: 'sent', port }, { way: 'received', port });
    await passed(FAULT_MS);
    if (kind === 'etcd') await stage.shared(stage.others(victim));
    await host.mend();
  };
}

/** A node without all of them: the others take its cameras. */
function cutOff(cut: (host: NodeHost) => Promise<void>): FleetRow['run'] {
  return async (stage, { gone }) => {
    const { victim, cameras } = await stage.busiest();
    const host = stage.host(victim);
    await cut(host);
    gone(cameras);
    await passed(FAULT_MS);
    await stage.shared(stage.others(victim));
    await host.mend();
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

/** As reported by etcd itself. */
async function leaderOf({ nodes }: EtcdCluster): Promise<EtcdCluster['nodes'][number]> {
  for (const node of nodes) {
    const answer = await fetch(`${node.endpoint}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const { header, leader } = (await answer.json()) as { header: { member_id: string }; leader: string };
    if (header.member_id === leader) return node;
  }
  throw new Error('etcd has no leader');
}

const UNMOVED = { isStill: true, isWhole: true } as const;

export const FLEET_ROWS: readonly FleetRow[] = [
  { name: 'node-kill', run: kill },
  { name: 'node-freeze', run: freeze },
  { name: 'node-back-within-lease', isStill: true, run: back },
  { name: 'node-cut-etcd', isWhole: true, run: cutFrom('etcd') },
  { name: 'node-cut-redis', ...UNMOVED, run: cutFrom('redis') },
  { name: 'node-cut-rabbitmq', ...UNMOVED, run: cutFrom('rabbitmq') },
  { name: 'node-cut-all', isWhole: true, run: cutOff((host) => host.unplug()) },
  { name: 'node-mute', isWhole: true, run: cutOff((host) => host.lose({ way: 'sent' })) },
  { name: 'node-deaf', isWhole: true, run: cutOff((host) => host.lose({ way: 'received' })) },
  { name: 'node-clock-forward', run: clock(HOUR_MS) },
  { name: 'node-clock-back', run: clock(-HOUR_MS) },
  { name: 'drain', isWhole: true, run: drain },
  { name: 'join', isWhole: true, run: join },
  { name: 'rolling-restart', isWhole: true, run: (stage) => restartAll(stage) },
  { name: 'rolling-upgrade', onlyNamed: true, isWhole: true, run: changeVersion },
  twoEditsAtOnce,
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
