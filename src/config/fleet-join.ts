/** A node that uses the servers of another daemon of this machine: they are where its endpoints.json says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { rabbitmqOf, redisOf, type Endpoints } from './endpoints-file';
import { ConfigurationError } from './faults';
import type { ServerSpec, Topology } from './topology';

/** The servers are not running yet, or no longer. */
class NotThere extends ConfigurationError {
  override readonly code = 'no-endpoints';

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(file, [{ path: '$.fleet.etcd', problem }], 'not-applied', options);
    this.message = `${file} names servers that cannot be used now:\n  $.fleet.etcd: ${problem}`;
  }
}

/**
 * The topology with the servers that the other daemon has now.
 * @param folder that relative paths are resolved against
 * @throws ConfigurationError with the code `no-endpoints`, which exits with 69
 */
export function withServersOfOther(topology: Topology, file: string, folder: string): Topology {
  const { fleet, redis, rabbitmq } = topology;
  if (fleet?.endpointsFile === undefined) return topology;
  const endpointsFile = path.resolve(folder, fleet.endpointsFile);
  const endpoints = read(endpointsFile, file);
  const { etcd } = endpoints;
  if (etcd === undefined)
    throw new NotThere(
      file,
      `${endpointsFile} names no etcd; that daemon's configuration needs "fleet": {"etcd": "embedded"}`,
    );
  const use = (spec: ServerSpec, url: () => string): ServerSpec =>
    spec.kind === 'embedded' ? { kind: 'remote', url: url() } : spec;
  return {
    ...topology,
    redis: use(redis, () => redisOf(endpointsFile, endpoints)),
    rabbitmq: use(rabbitmq, () => rabbitmqOf(endpointsFile, endpoints)),
    fleet: { ...fleet, etcd: [etcd], endpointsFile },
  };
}

function read(endpointsFile: string, file: string): Endpoints {
  try {
    return JSON.parse(readFileSync(endpointsFile, 'utf8')) as Endpoints;
  } catch (error) {
    const { code = 'not JSON' } = error as NodeJS.ErrnoException;
    const advice =
      code === 'EACCES'
        ? 'run both daemons as the same user'
        : 'the daemon whose servers this node uses has it while it runs: start that daemon first';
    throw new NotThere(file, `${endpointsFile} cannot be read (${code}); ${advice}`, { cause: error });
  }
}
