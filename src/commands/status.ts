/** `status`: the running daemon and its children, as text or JSON. */
import type { QueuesAnswer } from '../connections/bound-queues';
import { hasAll } from '../contract/tags';
import { print } from '../os/output';
import { ExitFault } from '../fault/fault';
import type { DaemonStatus } from '../control/protocol';
import type { FleetStatus } from '../fleet/status';
import type { ChildStatus } from '../supervisor/status';
import { askDaemon } from '../control/client';
import { EXIT } from './exit-codes';
import { childNamed, noChild } from './no-child';
import { noneTagged } from './none-tagged';
import { childText, queuesLines, statusText } from './status-text';
import { styleOf } from './style';
import type { Look } from './watch';

export interface StatusOptions {
  readonly dataDir: string;
  readonly json: boolean;
  /** The whole fleet, instead of this daemon. */
  readonly fleet: boolean;
  /** Refresh every second, in place. */
  readonly watch: boolean;
  /** Everything about this child; a camera may be named by its id. */
  readonly name: string | undefined;
  /** Only cameras that have all of these tags. */
  readonly tags: readonly string[];
}

/**
 * Prints it; resolves with the exit code, that of an unhealthy daemon if there is a problem.
 * @throws ExitFault `no-daemon`, `not-permitted`, `no-child`, `daemon-refused` for `fleet` if there is none;
 * `usage` for `watch` without a terminal
 */
export async function status(options: StatusOptions): Promise<number> {
  // Listing the queues queries the broker: not every second.
  const { dataDir, fleet, watch } = options;
  const asked = async (withQueues: boolean) => (fleet ? lookAtFleet(dataDir) : look(options, withQueues));
  if (watch) return (await import('./watch')).watch(() => asked(false));
  const { code, text, record } = await asked(options.name === undefined);
  await print(
    `${options.json ? JSON.stringify(record, null, 2) : text(styleOf(process.stdout, process.env))}\n`,
  );
  return code;
}

type Seen = Look & { readonly record: unknown };

/** @throws ExitFault `daemon-refused` if it is not in a fleet */
async function lookAtFleet(dataDir: string): Promise<Seen> {
  const { fleetText } = await import('./fleet-text');
  const { fleet } = (await askDaemon(dataDir, '/fleet')) as { readonly fleet?: FleetStatus };
  if (fleet === undefined)
    throw new ExitFault(
      'daemon-refused',
      'the daemon is not in a fleet; leave out --fleet, or add "fleet" to its configuration',
    );
  const isWell = fleet.unowned.length === 0 && fleet.state !== 'joining' && fleet.state !== 'isolated';
  return {
    code: isWell ? EXIT.clean : EXIT.unhealthy,
    record: fleet,
    text: (style) => fleetText(fleet, Date.now(), style),
  };
}

async function look({ dataDir, name, tags }: StatusOptions, withQueues: boolean): Promise<Seen> {
  const [all, queues] = await Promise.all([
    askDaemon(dataDir, '/status') as Promise<DaemonStatus>,
    withQueues ? (askDaemon(dataDir, '/queues') as Promise<QueuesAnswer>).catch(unanswered) : undefined,
  ]);
  const found = { ...all, children: chosen(all.children, tags) };
  const child = name === undefined ? undefined : childOf(found.children, name);
  const now = Date.now();
  return {
    code: found.problems.length === 0 ? EXIT.clean : EXIT.unhealthy,
    record: child ?? { ...found, queues },
    text: (style) => {
      if (child !== undefined) return childText(child, now, style);
      const others = queues === undefined ? [] : ['', ...queuesLines(queues, style)];
      return [statusText(found, now, style), ...others].join('\n');
    },
  };
}

/** A failure of this second request must not hide the rest. */
function unanswered(error: unknown): QueuesAnswer {
  return { kind: 'unknown', message: (error as Error).message };
}

/** @throws ExitFault `no-child` if no camera is left */
function chosen(children: readonly ChildStatus[], tags: readonly string[]): readonly ChildStatus[] {
  const isCamera = ({ kind }: ChildStatus) => kind === 'camera';
  const left = children.filter((child) => !isCamera(child) || hasAll(child.tags ?? [], tags));
  if (tags.length === 0 || left.some(isCamera)) return left;
  throw new ExitFault('no-child', noneTagged(tags, new Set(children.flatMap((child) => child.tags ?? []))));
}

function childOf(children: readonly ChildStatus[], name: string): ChildStatus {
  const names = children.map((child) => child.name);
  const found = children.find((child) => child.name === childNamed(name, names));
  if (found === undefined) throw noChild(name, names);
  return found;
}
