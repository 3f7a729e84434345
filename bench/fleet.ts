/**
 * What a fleet costs: three nodes, compared with three daemons without a fleet that run as many cameras of
 * the same kind, in the same minutes on the same servers. Goal: a camera-minute costs at most 3 % more.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon, type Daemon } from '../lab/daemon';
import { startEtcd, type EtcdCluster } from '../lab/etcd-cluster';
import { listen, newNamespace, remoteServers } from '../lab/events';
import { Fleet } from '../lab/fleet';
import { markdownTable } from '../lab/markdown-table';
import { cpuSeconds, tree } from './process-cost';
import { runBench } from './run';

const { values } = parseArgs({
  options: {
    cameras: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '120' },
    /** Width of the pictures; cameras usually have 1920. */
    width: { type: 'string', default: '320' },
  },
});

const GOAL_SHARE = 0.03;
const NODES = ['a', 'b', 'c'];
/** Warm-up: cameras start, and Node compiles code that it runs often. */
const WARM_MS = 20_000;

type Close = () => Promise<unknown>;

function cameras(count: number): { id: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ id: `c${i}`, test: 'testsrc2', width: Number(values.width) },
  }));
}

async function alone(count: number, closing: Close[]): Promise<Daemon[]> {
  const daemons: Daemon[] = [];
  for (const _ of NODES) {
    const namespace = newNamespace();
    const config = { namespace, ...remoteServers(), http: false, cameras: cameras(count / NODES.length) };
    const events = await listen(namespace);
    const daemon = startDaemon({ config });
    closing.push(
      () => events.close(),
      () => daemon.stop(),
    );
    daemons.push(daemon);
    for (const { id } of config.cameras) await events.gotFrames(id, 2, 120_000);
  }
  return daemons;
}

/** Counters of etcd: requests of all kinds, and bytes to and from clients. */
async function counted({ endpoints }: EtcdCluster): Promise<{ requests: number; bytes: number }> {
  let [requests, bytes] = [0, 0];
  for (const endpoint of endpoints) {
    const text = await (await fetch(`${endpoint}/metrics`)).text();
    const sum = (pattern: RegExp) =>
      [...text.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
    requests += sum(/^grpc_server_msg_received_total\{.*\} (\S+)$/gm);
    bytes += sum(/^etcd_network_client_grpc_(?:sent|received)_bytes_total (\S+)$/gm);
  }
  return { requests, bytes };
}

async function fleetBench(): Promise<boolean> {
  const [count, windowMs] = [Number(values.cameras), 1000 * Number(values.seconds)];
  const closing: Close[] = [];
  try {
    const etcd = await startEtcd();
    closing.push(() => etcd.stop());
    const after = (close: () => Promise<void>) => closing.push(close);
    const fleet = await Fleet.open({ etcd: etcd.endpoints, cameras: cameras(count), after });
    const nodes = NODES.map((name) => fleet.start(name));
    const owners = await fleet.shared(nodes);
    await fleet.announcing();
    const plain = await alone(count, closing);
    await sleep(WARM_MS);
    const members = nodes.map(({ daemon }) => daemon);
    const [before, countedBefore] = [usage(members, plain), await counted(etcd)];
    const startMs = performance.now();
    await sleep(windowMs);
    const [end, countedAfter] = [usage(members, plain), await counted(etcd)];
    const seconds = (performance.now() - startMs) / 1000;
    const ofMain = (end.memberMain - before.memberMain - (end.plainMain - before.plainMain)) / NODES.length;
    const minutes = (count * seconds) / 60;
    const inFleet = (end.members - before.members) / minutes;
    const without = (end.plain - before.plain) / minutes;
    const more = inFleet / without - 1;
    const held = NODES.map((name) => [...owners.values()].filter((owner) => owner === name).length);
    const requests = (countedAfter.requests - countedBefore.requests) / seconds;
    const bytes = (countedAfter.bytes - countedBefore.bytes) / seconds;
    const rows = [
      [
        'cameras on each node; width of pictures; seconds',
        `${held.join(', ')}; ${values.width}; ${seconds.toFixed(0)}`,
      ],
      ['processor of a camera-minute in a fleet, s', inFleet.toFixed(3)],
      ['the same without a fleet, s', without.toFixed(3)],
      ['difference', `${(100 * more).toFixed(1)} %`],
      ["more in the daemon's own process, per node, cores", (ofMain / seconds).toFixed(4)],
      ['messages to etcd per node and second', (requests / NODES.length).toFixed(1)],
      ['messages to etcd per camera and minute', ((60 * requests) / count).toFixed(1)],
      ['bytes to and from etcd per node and second', (bytes / NODES.length).toFixed(0)],
    ] as const;
    process.stdout.write(`${markdownTable(['a fleet of three nodes', ''], rows)}\n`);
    return more <= GOAL_SHARE;
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

/** Processor seconds so far of all processes, and of the daemons' own. */
function usage(members: readonly Daemon[], plain: readonly Daemon[]) {
  const all = (daemons: readonly Daemon[]) => daemons.flatMap(({ pid }) => tree(pid));
  const own = (daemons: readonly Daemon[]) => daemons.map(({ pid }) => pid);
  return {
    members: cpuSeconds(all(members)),
    plain: cpuSeconds(all(plain)),
    memberMain: cpuSeconds(own(members)),
    plainMain: cpuSeconds(own(plain)),
  };
}

runBench('fleet', fleetBench);
