/** A fleet on servers in clusters: one of each dies, then the one that leads. No camera is moved for it. */
import { defaultQueue } from '../../src/contract/broker-names';
import type { ClusterNode } from '../rabbit-cluster';
import type { RedisGroup, RedisServer } from '../redis';
import type { FleetRow } from './fleet-rows';
import { passed, type FleetStage } from './fleet-stage';

const FAULT_MS = 20_000;

async function without(server: ClusterNode | RedisServer): Promise<void> {
  await server.kill();
  await passed(FAULT_MS);
  await server.start();
}

function brokerRow(name: string, isLeader: boolean): FleetRow {
  const run = async ({ servers: { brokers }, fleet }: FleetStage) => {
    if (brokers === undefined) throw new Error('this row needs a cluster of RabbitMQ');
    const leader = await brokers.leaderOf(defaultQueue(fleet.namespace));
    const server = brokers.nodes.find((node) => (node === leader) === isLeader);
    if (server !== undefined) await without(server);
  };
  return { name, needs: 'rabbitmq-cluster', isStill: true, isWhole: true, run };
}

function redisRow(needs: 'redis-sentinel' | 'redis-cluster', isPrimary: boolean): FleetRow {
  const run = async ({ servers: { redisGroup } }: FleetStage) => {
    if (redisGroup === undefined) throw new Error('this row needs several Redis');
    await without(isPrimary ? await redisGroup.primary() : await replicaOf(redisGroup));
    await redisGroup.whole();
  };
  const name = `${needs}-${isPrimary ? 'primary' : 'replica'}-kill`;
  return { name, needs, isStill: true, isWhole: true, run };
}

async function replicaOf({ servers }: RedisGroup): Promise<RedisServer> {
  for (const server of servers) {
    const told = String(await server.command('INFO', 'replication').catch(() => ''));
    if (told.includes('role:slave')) return server;
  }
  throw new Error('no server is a replica');
}

export const fleetClusterRows: readonly FleetRow[] = [
  brokerRow('rabbitmq-follower-kill', false),
  brokerRow('rabbitmq-leader-kill', true),
  redisRow('redis-sentinel', false),
  redisRow('redis-sentinel', true),
  redisRow('redis-cluster', false),
  redisRow('redis-cluster', true),
];
