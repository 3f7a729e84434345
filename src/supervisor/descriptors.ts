/** File descriptors: what the configured cameras need, compared with what this process may have, raised where it may be. */
import type { Topology } from '../config/topology';
import type { Log } from '../log/log';
import { descriptorLimit, raiseDescriptorLimit } from '../os/descriptor-limit';

/** What the daemon has open besides its children, measured (23), and as much again for its clients and files that come and go. */
const OWN = 46;
/** Both outputs of an actor's process and its channel; of an embedded server its outputs. */
const PER_ACTOR = 3;
const PER_SERVER = 2;
/** The broker and its port mapper, and Redis. */
export const EMBEDDED_PROGRAMS = { redis: 1, rabbitmq: 2 } as const;
/** What an actor's own process, which has the same limit, may need: 22 were measured. */
const IN_AN_ACTOR = 64;

/** How many files the daemon, or one of its actors, may have open at the same time. */
export function descriptorsNeeded({ cameras, supervision, modes, http, ...servers }: Topology): number {
  const forked =
    [modes.store, modes.notifier, http && 'forked'].filter((mode) => mode === 'forked').length +
    cameras.length;
  // Of a child that is being started both ends are open here.
  const starting = Math.min(cameras.length, supervision.parallelStarts);
  const programs = (['redis', 'rabbitmq'] as const)
    .filter((name) => servers[name].kind === 'embedded')
    .reduce((sum, name) => sum + EMBEDDED_PROGRAMS[name], 0);
  return Math.max(IN_AN_ACTOR, OWN + PER_ACTOR * (forked + starting) + PER_SERVER * programs);
}

/** Makes room for what `topology` needs, or says in one sentence that there is too little. */
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

/** To a power of two, and no less than what systems give: edits add cameras. */
function roundedUp(needed: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1024, needed)));
}
