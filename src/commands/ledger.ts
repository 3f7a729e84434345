/** `ledger`: the fate of every sampling period, read from the files, whether the daemon runs or not. */
import path from 'node:path';
import { namedCameras } from '../config/named-cameras';
import { hasAll } from '../contract/tags';
import { readLedger } from '../ledger/files';
import { throwIfNotPermitted } from '../os/access';
import { print } from '../os/output';
import type { NodeRecords } from './fleet-ledger';
import { summarize, type Coverage, type Exception, type Recorded, type Summary } from '../ledger/summary';
import { ExitFault } from '../fault/fault';
import { EXIT } from './exit-codes';
import { noneTagged } from './none-tagged';
import type { Places } from './options';
import { PLAIN, styleOf, type Style } from './style';
import { table, wrap } from './table';

/** A running daemon writes at least every second. */
const SILENT_MS = 15_000;

export interface LedgerOptions extends Places {
  readonly json: boolean;
  /** For all nodes together. */
  readonly fleet: boolean;
  /** Only this one. */
  readonly camera: string | undefined;
  /** Only cameras that have all of these in the configuration. */
  readonly tags: readonly string[];
  /** How far back, milliseconds. */
  readonly sinceMs: number;
}

/**
 * Prints the recorded periods; resolves with the exit code.
 * @throws ExitFault `no-ledger` if nothing is recorded for that time or camera, `no-child` if no camera has the tags
 */
export async function ledger(options: LedgerOptions): Promise<number> {
  const { dataDir, config, camera, tags, sinceMs, json, fleet } = options;
  const now = Date.now();
  const { from, recorded, nodes } = fleet
    ? await ofFleet({ config, dataDir }, now - sinceMs, now)
    : await ofDaemon(path.join(dataDir, 'ledger'), now - sinceMs);
  const summary = summarize(recorded, now - sinceMs, wantedOf({ config, camera, tags }));
  if (summary.cameras.length === 0)
    throw new ExitFault(
      'no-ledger',
      `${from} has no records${camera === undefined ? '' : ` of camera ${camera}`}${tags.length === 0 ? '' : ` of cameras with the tag ${tags.join(' and ')}`} since ${summary.since}; check --data-dir, --camera, --tag and --since`,
    );
  await print(
    json
      ? `${JSON.stringify({ ...summary, nodes }, null, 2)}\n`
      : ledgerText(summary, now, styleOf(process.stdout, process.env), nodes),
  );
  return EXIT.clean;
}

interface Source {
  /** Where it was read, for people. */
  readonly from: string;
  readonly recorded: Recorded;
  readonly nodes?: readonly NodeRecords[];
}

async function ofDaemon(dir: string, sinceMs: number): Promise<Source> {
  throwIfNotPermitted(dir);
  return { from: dir, recorded: await readLedger(dir, sinceMs) };
}

/** @throws ConfigurationError, or what reading it throws */
async function ofFleet({ config, dataDir }: Places, sinceMs: number, nowMs: number): Promise<Source> {
  const { loadTopology } = await import('../config/load');
  const { readFleetLedger } = await import('./fleet-ledger');
  throwIfNotPermitted(config);
  const topology = loadTopology(config, process.env);
  return {
    from: "the fleet's ledger in Redis",
    ...(await readFleetLedger(topology, dataDir, sinceMs, nowMs)),
  };
}

/** Ids of the requested cameras; undefined for all. */
function wantedOf({
  config,
  camera,
  tags,
}: Pick<LedgerOptions, 'config' | 'camera' | 'tags'>): ReadonlySet<string> | undefined {
  if (tags.length === 0) return camera === undefined ? undefined : new Set([camera]);
  throwIfNotPermitted(config);
  const named = namedCameras(config);
  const tagged = named.filter((each) => hasAll(each.tags, tags)).map(({ id }) => id);
  if (tagged.length === 0)
    throw new ExitFault('no-child', noneTagged(tags, new Set(named.flatMap((each) => each.tags))));
  return new Set(tagged.filter((id) => camera === undefined || id === camera));
}

const COVERAGE_TITLES = ['camera', 'periods', 'confirmed', 'waiting', 'dropped', 'gaps', 'coverage'];
const EXCEPTION_TITLES = ['camera', 'from', 'to', 'periods', 'what', 'reason'];

/** The tables an operator reads. */
export function ledgerText(
  summary: Summary,
  now: number,
  { width }: Style = PLAIN,
  nodes: readonly NodeRecords[] = [],
): string {
  const exceptions = summary.cameras.flatMap(({ camera, exceptions: of }) =>
    of.map((exception) => [camera, ...exceptionCells(exception)]),
  );
  return [
    ...[...nodes.map((each) => nodeNote(each, now)), ...notes(summary, now)].flatMap((note) =>
      wrap(note, '  ', width),
    ),
    ...table([COVERAGE_TITLES, ...summary.cameras.map(coverageCells)], width),
    ...(exceptions.length === 0 ? [] : ['', ...table([EXCEPTION_TITLES, ...exceptions], width)]),
    '',
  ].join('\n');
}

function nodeNote({ node, lastAt }: NodeRecords, now: number): string {
  const silent = lastAt === undefined || now - lastAt > SILENT_MS;
  const until = lastAt === undefined ? 'never' : new Date(lastAt).toISOString();
  return `node ${node}: recorded until ${until}${silent ? ' (no daemon is writing, or it does not reach Redis)' : ''}`;
}

function notes({ since, recordedUntil, unreadableLines, events, evicted }: Summary, now: number): string[] {
  const silent = recordedUntil === undefined || now - Date.parse(recordedUntil) > SILENT_MS;
  const steps = events.filter(({ event }) => event === 'clock-set');
  return [
    `since ${since}, recorded until ${recordedUntil ?? 'never'}${silent ? ' (no daemon is writing)' : ''}`,
    ...steps.map(
      ({ at, byMs = 0 }) =>
        `the clock was set by ${byMs / 1000} s, to ${new Date(at).toISOString()}: skipped periods are not counted, repeated periods count twice`,
    ),
    ...(evicted === 0
      ? []
      : [
          `evicted: Redis removed ${evicted} keys because its memory was full; frames among them may be counted as confirmed below although consumers did not find them`,
        ]),
    ...(unreadableLines === 0
      ? []
      : [
          `${unreadableLines} unreadable lines: they were damaged, or being written when a daemon was killed`,
        ]),
    '',
  ];
}

function coverageCells({
  camera,
  periods,
  confirmed,
  waiting,
  dropped,
  gap,
  coverage,
}: Coverage): readonly string[] {
  // Rounded down: 100.00 % means that no period was missed.
  const percent = `${(Math.floor(coverage * 10_000) / 100).toFixed(2)} %`;
  return [camera, ...[periods, confirmed, waiting, sum(dropped), sum(gap)].map(String), percent];
}

function exceptionCells({ from, to, periods, state, reason }: Exception): readonly string[] {
  return [seconds(from), seconds(to), String(periods), state, reason ?? ''];
}

/** Without milliseconds if they are zero. */
function seconds(time: string): string {
  return time.replace('.000Z', 'Z');
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
