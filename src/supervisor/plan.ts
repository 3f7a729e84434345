/** What an edited configuration would change in the running tree, as a pure function. */
import { isDeepStrictEqual } from 'node:util';
import type { ConfigFault } from '../config/faults';
import type { ServerSpec, Topology } from '../config/topology';
import type { WantedActor } from './actor-specs';

export interface Change {
  readonly name: string;
  /** Settings that differ, by their name in the topology. */
  readonly because: readonly string[];
}

export interface Plan {
  readonly start: readonly string[];
  readonly stop: readonly string[];
  readonly restart: readonly Change[];
  /** Applied without a restart. */
  readonly adjust: readonly Change[];
  readonly leave: readonly string[];
}

type Actors = ReadonlyMap<string, WantedActor>;

/** Compares the parameters every actor is started with: an edit affects the actors whose parameters differ. */
export function planChange(
  running: { readonly topology: Topology; readonly actors: Actors },
  wanted: { readonly topology: Topology; readonly actors: Actors },
): Plan {
  const both = [...wanted.actors].flatMap(([name, after]) => {
    const before = running.actors.get(name);
    return before === undefined ? [] : [{ name, before, after }];
  });
  const restart = both
    .filter(({ before, after }) => needsNewProcess(before, after))
    .map(({ name, before, after }) => ({ name, because: changedParameters(before, after) }));
  const restarted = new Set(restart.map(({ name }) => name));
  const kept = both.filter(({ name }) => !restarted.has(name));
  const adjust = kept
    .map(({ name, before, after }) => ({
      name,
      because: [...changedParameters(before, after), ...differences({ ...before.child }, { ...after.child })],
    }))
    .filter(isChange);
  const adjusted = new Set(adjust.map(({ name }) => name));
  return {
    start: [...wanted.actors.keys()].filter((name) => !running.actors.has(name)),
    stop: [...running.actors.keys()].filter((name) => !wanted.actors.has(name)),
    restart,
    adjust: [...daemonChanges(running.topology, wanted.topology), ...adjust],
    leave: kept.map(({ name }) => name).filter((name) => !adjusted.has(name)),
  };
}

export function isEmpty({ start, stop, restart, adjust }: Plan): boolean {
  return start.length + stop.length + restart.length + adjust.length === 0;
}

/** Changes that only a restart of the daemon can apply. */
export function refusals(running: Topology, wanted: Topology): ConfigFault[] {
  const user = {
    path: '$.user',
    problem: 'a daemon cannot become another user while it runs; restart the daemon to change this',
  };
  const fleet = {
    path: '$.fleet',
    problem: 'a daemon joins and leaves a fleet only with its start; restart the daemon to change this',
  };
  return (['redis', 'rabbitmq'] as const)
    .filter((name) => !isSameService(running[name], wanted[name]))
    .map((name) => ({
      path: `$.${name}`,
      problem:
        'an embedded server is started, stopped and moved only with the daemon; restart the daemon to change this',
    }))
    .concat(running.user === wanted.user ? [] : [user])
    .concat(isDeepStrictEqual(running.fleet, wanted.fleet) ? [] : [fleet]);
}

/** Remote servers may change their URL. */
function isSameService(before: ServerSpec, after: ServerSpec): boolean {
  if (before.kind === 'remote' && after.kind === 'remote') return true;
  return isDeepStrictEqual(before, after);
}

function daemonChanges(before: Topology, after: Topology): Change[] {
  const names = ['logLevel', 'supervision', 'ledger'] as const;
  const because = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  const services = isDeepStrictEqual(before.children.service, after.children.service) ? [] : ['service'];
  const management = managementUrl(before) === managementUrl(after) ? [] : ['managementUrl'];
  return [{ name: 'daemon', because: [...because, ...management, ...services] }].filter(isChange);
}

function managementUrl({ rabbitmq }: Topology): string | undefined {
  return rabbitmq.kind === 'remote' ? rabbitmq.managementUrl : undefined;
}

function isChange({ because }: Change): boolean {
  return because.length > 0;
}

/** Settings that a running actor applies; all others need a new process. A camera reopens its feed where necessary, see docs/supervision.md. */
const APPLIED_LIVE: Readonly<Record<Exclude<WantedActor['kind'], 'camera'>, readonly string[]>> = {
  store: ['expireMs', 'drainMs'],
  notifier: ['expireMs', 'tags', 'services', 'removedServices'],
  web: ['ffmpeg'],
  notices: ['spool'],
};

export function needsNewProcess(before: WantedActor, after: WantedActor): boolean {
  const { kind } = after;
  return (
    kind !== 'camera' && changedParameters(before, after).some((name) => !APPLIED_LIVE[kind].includes(name))
  );
}

/** Names of the parameters that differ between what an actor was started with and what it would be started with. */
export function changedParameters(before: WantedActor, after: WantedActor): string[] {
  return differences(startedWith(before), startedWith(after));
}

/** The parameters of an actor and of its camera, without `continues`, which concerns the start only. */
function startedWith({ actor }: WantedActor): Record<string, unknown> {
  const { camera, continues: _, ...parameters } = actor.parameters as Record<string, unknown>;
  return { mode: actor.mode, ...parameters, ...(camera as Record<string, unknown> | undefined) };
}

function differences(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name]));
}

/** The plan in one line: names are listed, reasons in brackets. */
export function sentenceOf({ start, stop, restart, adjust, leave }: Plan): string {
  const changes = (list: readonly Change[]) =>
    list.map(({ name, because }) => `${name} (${because.join(', ')})`);
  const parts: readonly [string, readonly string[]][] = [
    ['start', start],
    ['stop', stop],
    ['restart', changes(restart)],
    ['adjust', changes(adjust)],
  ];
  const said = parts
    .filter(([, names]) => names.length > 0)
    .map(([verb, names]) => `${verb} ${names.join(', ')}`);
  return `${said.length === 0 ? 'nothing to do' : said.join('; ')}; leave ${leave.length} as they are`;
}
