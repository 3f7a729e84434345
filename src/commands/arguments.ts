/** The command line, read once. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../protocol/fault';

export const WORDS = ['daemon', 'check', 'plan', 'status', 'ledger', 'process'] as const;
export type Word = (typeof WORDS)[number];

export interface Arguments {
  readonly word: Word;
  /** Absolute. */
  readonly config: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly help: boolean;
  readonly version: boolean;
  /** `status`, `plan` and `ledger`: JSON instead of text for people. */
  readonly json: boolean;
  /** `process` only: folder pictures are written to. */
  readonly out?: string;
  /** `process` only: frames after which it ends. */
  readonly count?: number;
  /** `ledger` only: that camera alone. */
  readonly camera?: string;
  /** `ledger` only: how far back, milliseconds. */
  readonly sinceMs: number;
}

export const HELP = `Vigil: one picture a second from every camera, in Redis, announced on RabbitMQ.

Usage: node dist/main.js [word] [options]

Words:
  (none)    run the daemon
  check     validate the configuration and start nothing
  status    what the running daemon and its children do
  plan      what the configuration of --config would change in the running daemon
  ledger    what became of every sampling period: coverage and gaps of each camera
  process   consume the queue: retrieve, decode and remove every frame

Options:
  --config FILE    configuration (default: actors.json of the package)
  --data-dir DIR   where the daemon keeps its data (default: data/ beside the configuration)
  --json           status, plan, ledger: as JSON
  --out DIR        process: write frame_<MM_DD_YYYY-HH_MM_SS>.<ext> into a folder per camera
  --count N        process: end after N frames
  --camera ID      ledger: of this camera alone
  --since TIME     ledger: how far back, such as 90s, 30m, 24h, 7d (default: 24h)
  --help           this text
  --version        the version

Exit codes: 0 clean, 2 usage, 3 no daemon runs, 69 something needed is missing, 70 failed or escalated,
78 invalid configuration.
`;

const OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  json: { type: 'boolean' },
  out: { type: 'string' },
  count: { type: 'string' },
  camera: { type: 'string' },
  since: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/**
 * @param argv without node and script
 * @param packageDir folder of package.json
 * @throws Fault `usage`
 */
export function readArguments(argv: readonly string[], packageDir: string): Arguments {
  const { values, positionals } = parse(argv);
  const [word = 'daemon', ...rest] = positionals;
  if (!isWord(word)) throw usage(`there is no word "${word}"`);
  if (rest.length > 0) throw usage(`"${rest.join(' ')}" is too much`);
  if (word !== 'process' && (values.out ?? values.count) !== undefined)
    throw usage('--out and --count belong to the word "process"');
  if (values.json === true && word !== 'status' && word !== 'plan' && word !== 'ledger')
    throw usage('--json belongs to the words "status", "plan" and "ledger"');
  if (word !== 'ledger' && (values.camera ?? values.since) !== undefined)
    throw usage('--camera and --since belong to the word "ledger"');
  const count = values.count === undefined ? undefined : Number(values.count);
  if (count !== undefined && !(Number.isInteger(count) && count > 0))
    throw usage('--count expects a whole number above 0');
  const config = path.resolve(values.config ?? path.join(packageDir, 'actors.json'));
  return {
    word,
    config,
    dataDir: path.resolve(values['data-dir'] ?? path.join(path.dirname(config), 'data')),
    json: values.json ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
    ...(values.out === undefined ? {} : { out: path.resolve(values.out) }),
    ...(count === undefined ? {} : { count }),
    ...(values.camera === undefined ? {} : { camera: values.camera }),
    sinceMs: durationMs(values.since ?? '24h'),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usage((error as Error).message);
  }
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS_MS[unit] ?? NaN);
  if (!(ms > 0)) throw usage(`--since expects a time such as 90s, 30m, 24h or 7d, found "${text}"`);
  return ms;
}

function isWord(word: string): word is Word {
  return WORDS.some((known) => known === word);
}

function usage(problem: string): Fault {
  return new Fault('usage', `${problem}; see --help`);
}
