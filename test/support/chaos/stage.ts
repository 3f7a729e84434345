/** The servers that rows run on: one of each kind, or several that replace each other. */
import path from 'node:path';
import { startCluster as startBrokers } from '../rabbit-cluster';
import { startCluster, startSentinel, type RedisGroup } from '../redis';
import { PrivateRabbitmq, PrivateRedis } from './private-server';
import type { Need, Row } from './row';
import type { WorldOptions } from './world';

/** Servers that replace each other take this long to take one of theirs for dead. */
const SILENT_MS = 5000;

export type StageName = 'single' | Extract<Need, 'rabbitmq-cluster' | 'redis-sentinel' | 'redis-cluster'>;

export const STAGES: readonly StageName[] = ['single', 'rabbitmq-cluster', 'redis-sentinel', 'redis-cluster'];

type Servers = Pick<WorldOptions, 'redisUrl' | 'amqpUrl' | 'servers' | 'brokers' | 'redisGroup'>;

export interface Stage extends Servers {
  stop(): Promise<void>;
}

export function stageOf({ needs }: Row): StageName {
  return STAGES.find((stage) => stage === needs) ?? 'single';
}

/** @param dir a folder of its own */
export async function openStage(name: StageName, dir: string): Promise<Stage> {
  switch (name) {
    case 'single': {
      const [redis, rabbitmq] = [await redisIn(dir), await rabbitmqIn(dir)];
      const urls = { redisUrl: redis.url, amqpUrl: rabbitmq.url };
      return { ...urls, servers: { redis, rabbitmq }, stop: () => stopAll(redis, rabbitmq) };
    }
    case 'rabbitmq-cluster': {
      const redis = await redisIn(dir);
      const brokers = await startBrokers();
      return { redisUrl: redis.url, amqpUrl: brokers.url, brokers, stop: () => stopAll(redis, brokers) };
    }
    case 'redis-sentinel':
      return onGroup(dir, await startSentinel({ replicas: 2, sentinels: 3, silentMs: SILENT_MS }));
    case 'redis-cluster':
      return onGroup(dir, await startCluster({ replicas: 1, silentMs: SILENT_MS }));
  }
}

async function onGroup(dir: string, redisGroup: RedisGroup): Promise<Stage> {
  const rabbitmq = await rabbitmqIn(dir);
  const urls = { redisUrl: redisGroup.url, amqpUrl: rabbitmq.url };
  return { ...urls, redisGroup, stop: () => stopAll(redisGroup, rabbitmq) };
}

async function redisIn(dir: string): Promise<PrivateRedis> {
  const redis = await PrivateRedis.prepare(path.join(dir, 'redis'));
  await redis.start();
  return redis;
}

async function rabbitmqIn(dir: string): Promise<PrivateRabbitmq> {
  const rabbitmq = await PrivateRabbitmq.prepare(path.join(dir, 'rabbitmq'));
  await rabbitmq.start();
  return rabbitmq;
}

async function stopAll(...servers: readonly { stop(): Promise<void> }[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}
