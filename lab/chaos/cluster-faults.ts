/** Rows on clusters: the remaining nodes continue, and so must frames, while the fault lasts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultQueue } from '../../src/contract/broker-names';
import type { Network } from '../fault-proxy';
import type { ClusterNode } from '../rabbit-cluster';
import type { RedisServer } from '../redis';
import type { Row } from './row';
import { WITNESS_QUEUE } from './server-witness';
import type { World } from './world';

/** What servers need to replace one of theirs is in it: 5 to 7 s, as they are set up here. */
const MAX_SILENCE_MS = 10_000;
const SECONDS = 20;

interface Cast {
  /** The node that the daemon is connected to. */
  readonly host: ClusterNode;
  /** The node that leads the detection queue. */
  readonly leader: ClusterNode;
  readonly follower: ClusterNode;
}

/** @param leads who is to lead the queue */
async function cast(world: World, leads: 'host' | 'another'): Promise<Cast> {
  const { brokers } = world.options;
  if (brokers === undefined) throw new Error('this row needs a cluster of RabbitMQ');
  const host = await brokers.hostOf('vigil notifier');
  const [second, third] = brokers.nodes.filter((node) => node !== host);
  if (second === undefined || third === undefined) throw new Error('this row needs a cluster of three');
  const leader = leads === 'host' ? host : second;
  for (const queue of [defaultQueue(world.options.namespace), WITNESS_QUEUE])
    await brokers.lead(queue, leader);
  return { host, leader, follower: third };
}

type Harm<Server> = (server: Server, ms: number) => Promise<void>;

const killed: Harm<ClusterNode | RedisServer> = async (server, ms) => {
  await server.kill();
  await sleep(ms);
  await server.start();
};

const frozen: Harm<ClusterNode | RedisServer> = async (server, ms) => {
  server.signal('SIGSTOP');
  await sleep(ms);
  server.signal('SIGCONT');
};

/** Its clients reach it, the other nodes do not. The partition lasts until an operator restarts the node. */
function isolated(network: Network): Harm<ClusterNode> {
  return async (node, ms) => {
    node.network = network;
    await sleep(ms);
    node.network = { kind: 'sound' };
    await node.kill();
    await node.start();
  };
}

const COMMON = { seconds: SECONDS, maxSilenceMs: MAX_SILENCE_MS } as const;

function brokerRow(name: string, whom: (world: World) => Promise<ClusterNode>, harm: Harm<ClusterNode>): Row {
  return {
    ...COMMON,
    name: `rabbitmq-cluster-${name}`,
    needs: 'rabbitmq-cluster',
    inject: async (world, ms) => harm(await whom(world), ms),
  };
}

const follower = async (world: World) => (await cast(world, 'another')).follower;
const leader = async (world: World) => (await cast(world, 'another')).leader;
/** It leads the queue, too. */
const host = async (world: World) => (await cast(world, 'host')).host;

function redisRows(kind: 'redis-sentinel' | 'redis-cluster'): Row[] {
  const row = (name: string, harm: Harm<RedisServer>): Row => ({
    ...COMMON,
    name: `${kind}-primary-${name}`,
    needs: kind,
    inject: async ({ options: { redisGroup } }, ms) => {
      if (redisGroup === undefined) throw new Error('this row needs several Redis');
      await harm(await redisGroup.primary(), ms);
      await redisGroup.whole();
    },
  });
  return [row('kill', killed), row('freeze', frozen)];
}

export const clusterRows: readonly Row[] = [
  // The host is the first of the URL as long as no other row has moved the daemon on.
  brokerRow('host-isolated', host, isolated({ kind: 'reset' })),
  brokerRow('host-isolated-silently', host, isolated({ kind: 'black-hole' })),
  brokerRow('host-kill', host, killed),
  brokerRow('host-freeze', host, frozen),
  brokerRow('leader-kill', leader, killed),
  brokerRow('leader-freeze', leader, frozen),
  brokerRow('leader-isolated-silently', leader, isolated({ kind: 'black-hole' })),
  brokerRow('follower-kill', follower, killed),
  brokerRow('follower-freeze', follower, frozen),
  ...redisRows('redis-sentinel'),
  ...redisRows('redis-cluster'),
];
