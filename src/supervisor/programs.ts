/** The programs a topology needs on the machine, and where they are. */
import path from 'node:path';
import type { Topology } from '../config/topology';
import { findProgram, isExecutable } from '../os/orphans';
import { findFfmpeg, needsNoFfmpeg, whyNoFfmpeg } from './ffmpeg-program';

export interface MissingProgram {
  readonly program: 'ffmpeg' | 'redis-server' | 'rabbitmq-server' | 'setpriv' | 'flock';
  /** What needs it. */
  readonly why: string;
}

/** The broker's own start script: Debian's wrapper on PATH changes the user. */
export function findRabbitmq(): string | undefined {
  const debian = '/usr/lib/rabbitmq/bin/rabbitmq-server';
  return isExecutable(debian) ? debian : findProgram('rabbitmq-server');
}

/** Erlang's port mapper: on PATH, or inside the Erlang installation where distributions leave it. */
export function findEpmd(): string | undefined {
  return findOfErlang('epmd');
}

/** Erlang's program that asks a node something, found like {@link findEpmd}. */
export function findErlCall(): string | undefined {
  return findOfErlang('erl_call');
}

function findOfErlang(program: string): string | undefined {
  const erl = findProgram('erl');
  const beside = erl === undefined ? undefined : path.join(path.dirname(erl), program);
  return findProgram(program) ?? (beside !== undefined && isExecutable(beside) ? beside : undefined);
}

/** What has to be installed before `topology` can run; empty when nothing is missing. */
export function missingPrograms(topology: Topology): MissingProgram[] {
  const missing: MissingProgram[] = [];
  const embedded = [topology.redis, topology.rabbitmq].some((server) => server.kind === 'embedded');
  const sources = topology.cameras.map(({ source }) => source).filter((source) => !needsNoFfmpeg(source));
  if (sources.some((source) => findFfmpeg(topology.ffmpeg, source) === undefined))
    missing.push({ program: 'ffmpeg', why: whyNoFfmpeg(topology.ffmpeg) });
  if (topology.redis.kind === 'embedded' && findProgram('redis-server') === undefined)
    missing.push({ program: 'redis-server', why: 'the configuration says "redis": "embedded"' });
  if (topology.rabbitmq.kind === 'embedded' && (findRabbitmq() === undefined || findEpmd() === undefined))
    missing.push({ program: 'rabbitmq-server', why: 'the configuration says "rabbitmq": "embedded"' });
  if (findProgram('flock') === undefined)
    missing.push({ program: 'flock', why: 'it keeps two daemons out of one data directory' });
  if (embedded && process.platform === 'linux' && findProgram('setpriv') === undefined)
    missing.push({ program: 'setpriv', why: 'it ends the embedded servers with the daemon' });
  return missing;
}
