/** File descriptors: compares what the configured cameras need with the limit of this process, and raises the limit if possible. */
import type { Topology } from '../config/topology';
import type { Log } from '../log/log';
import { descriptorLimit, raiseDescriptorLimit } from '../os/descriptor-limit';

/** Files the daemon itself has open: 23 were measured, doubled for clients and temporary files. */
const OWN = 46;
/** Both outputs of an actor's process and its channel; for an embedded server, its outputs. */
const PER_ACTOR = 3;
const PER_SERVER = 2;
/** The broker and its port mapper. */
const EMBEDDED_PROGRAMS = { redis: 1, rabbitmq: 2, etcd: 1 } as const;

/** Programs of the embedded servers. */
export function embeddedPrograms({ redis, rabbitmq, fleet }: Topology): number {
  return (
    (redis.kind === 'embedded' ? EMBEDDED_PROGRAMS.redis : 0) +
    (rabbitmq.kind === 'embedded' ? EMBEDDED_PROGRAMS.rabbitmq : 0) +
    (fleet?.etcd === 'embedded' ? EMBEDDED_PROGRAMS.etcd : 0)
  );
}
/** Files an actor's own process, which has the same limit, may need; 22 were measured. */
const IN_AN_ACTOR = 64;

/** How many files the daemon, or one of its actors, may have open at the same time. */
export function descriptorsNeeded(topology: Topology): number {
  const { cameras, supervision, modes, http } = topology;
  const forked =
    [modes.store, modes.notifier, http && 'forked'].filter((mode) => mode === 'forked').length +
    cameras.length;
  // While a child is being started, both ends are open here.
  const starting = Math.min(cameras.length, supervision.parallelStarts);
  return Math.max(
    IN_AN_ACTOR,
    OWN + PER_ACTOR * (forked + starting) + PER_SERVER * embeddedPrograms(topology),
  );
}

/** Raises the limit to what `topology` needs, or logs in one sentence that it is too low. */
export function provideDescriptors(topology: Topology, log: Log): void {
  const needed = descriptorsNeeded(topology);
  if (isEnough(needed)) return;
  const wanted = roundedUp(needed);
  raiseDescriptorLimit(wanted);
  if (isEnough(needed)) {
    log.info(`the limit of open files was raised to ${wanted}`);
    return;
  }
  const cameras = topology.cameras.length === 1 ? '1 camera' : `${topology.cameras.length} cameras`;
  const allowed = String(descriptorLimit());
  log.warn(
    `${cameras} may need ${needed} open files and this process may have ${allowed}: some may not start; raise the limit to ${wanted} (ulimit -n, LimitNOFILE= in a systemd unit, --ulimit nofile= of a container) and restart the daemon`,
    { code: 'descriptors' },
  );
}

function isEnough(needed: number): boolean {
  return needed <= (descriptorLimit() ?? Infinity);
}

/** Rounded up to a power of two, and at least the usual system limit: edits add cameras. */
function roundedUp(needed: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1024, needed)));
}
