/** The programs a topology needs on the machine, and where they are; the missing ones in a sentence. */
import type { Topology } from '../config/topology';
import { findEpmd, findRabbitmq } from '../embedded/rabbitmq-programs';
import { findProgram } from '../os/orphans';
import { bundledFfmpeg, findFfmpeg, needsNoFfmpeg, whyNoFfmpeg } from './ffmpeg-program';

export interface MissingProgram {
  readonly program: 'ffmpeg' | 'redis-server' | 'rabbitmq-server' | 'etcd' | 'setpriv' | 'flock';
  /** What it is needed for. */
  readonly why: string;
}

/** What has to be installed before `topology` can run; empty when nothing is missing. */
export function missingPrograms(topology: Topology): MissingProgram[] {
  const missing: MissingProgram[] = [];
  const needsEtcd = topology.fleet?.etcd === 'embedded';
  const embedded = needsEtcd || [topology.redis, topology.rabbitmq].some(({ kind }) => kind === 'embedded');
  const sources = topology.cameras.map(({ source }) => source).filter((source) => !needsNoFfmpeg(source));
  // Looked up once, not for each camera: if it is absent, Node searches every possible folder.
  const bundled = bundledFfmpeg();
  if (sources.some((source) => findFfmpeg(topology.ffmpeg, source, bundled) === undefined))
    missing.push({ program: 'ffmpeg', why: whyNoFfmpeg(topology.ffmpeg, bundled) });
  if (topology.redis.kind === 'embedded' && findProgram('redis-server') === undefined)
    missing.push({ program: 'redis-server', why: 'the configuration says "redis": "embedded"' });
  if (topology.rabbitmq.kind === 'embedded' && (findRabbitmq() === undefined || findEpmd() === undefined))
    missing.push({ program: 'rabbitmq-server', why: 'the configuration says "rabbitmq": "embedded"' });
  if (needsEtcd && findProgram('etcd') === undefined)
    missing.push({ program: 'etcd', why: 'the configuration says "etcd": "embedded"' });
  if (findProgram('flock') === undefined)
    missing.push({ program: 'flock', why: 'it keeps two daemons out of one data directory' });
  if (embedded && process.platform === 'linux' && findProgram('setpriv') === undefined)
    missing.push({ program: 'setpriv', why: 'it ends the embedded servers with the daemon' });
  return missing;
}

/** What is missing, and how to get it. */
export function missingSentence(missing: readonly MissingProgram[]): string {
  const what = missing.map(({ program, why }) => `${program} (${why})`).join(', ');
  const packages = [...new Set(missing.map(({ program }) => DEBIAN_PACKAGES[program]))].join(' ');
  return `missing on this machine: ${what}; install it, on Debian and Ubuntu with: apt-get install ${packages}; or let npm start do so`;
}

const DEBIAN_PACKAGES: Readonly<Record<MissingProgram['program'], string>> = {
  ffmpeg: 'ffmpeg',
  'redis-server': 'redis-server',
  'rabbitmq-server': 'rabbitmq-server',
  etcd: 'etcd-server',
  setpriv: 'util-linux',
  flock: 'util-linux',
};
