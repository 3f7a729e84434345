/** The command line, read once. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ExitFault } from '../protocol/fault';

export const WORDS = ['daemon', 'check', 'plan', 'status', 'ledger', 'probe', 'process'] as const;
export type Word = (typeof WORDS)[number];

export interface Arguments {
  readonly word: Word;
  /** Absolute. */
  readonly config: string;
  /** Absolute. */
  readonly dataDir: string;
  /** The daemon only: takes the namespace from another one that holds it. */
  readonly force: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** `status`, `plan`, `ledger` and `probe`: JSON instead of text for people. */
  readonly json: boolean;
  /** `process` only: folder pictures are written to. */
  readonly out?: string;
  /** `process` only: frames after which it ends. */
  readonly count?: number;
  /** `process` only: of each camera only the newest frame. */
  readonly latest: boolean;
  /** `ledger`: that camera alone; `probe`: that camera of the configuration. */
  readonly camera?: string;
  /** `probe` only: the feed, as it was typed: it may hold credentials. */
  readonly url?: string;
  /** `probe` only: the URL is that of a still picture. */
  readonly still: boolean;
  /** `probe` only: file for a picture. */
  readonly save?: string;
  /** `probe` only: how long at most, up to {@link MAX_PROBE_SECONDS}. */
  readonly seconds: number;
  /** `ledger` only: how far back, milliseconds. */
  readonly sinceMs: number;
}

/** An hour: longer is no probe but a camera, and setTimeout takes no more than 24 days for a long time. */
const MAX_PROBE_SECONDS = 3600;

export const HELP = `Vigil: one picture a second from every camera, in Redis, announced on RabbitMQ.

Usage: node dist/main.js [word] [options]

Words:
  (none)    run the daemon
  check     validate the configuration and start nothing
  status    what the running daemon and its children do
  plan      what the configuration of --config would change in the running daemon
  ledger    what became of every sampling period: coverage and gaps of each camera
  probe     open the feed at the URL that follows, or of --camera, and say what it is or why it gives nothing
  process   consume the queue: retrieve, decode and remove every frame

Options:
  --config FILE    configuration (default: actors.json of the package)
  --data-dir DIR   where the daemon keeps its data (default: data/ beside the configuration)
  --force          the daemon: take the namespace over from another daemon, which then stops
  --json           status, plan, ledger, probe: as JSON
  --out DIR        process: write frame_<MM_DD_YYYY-HH_MM_SS>.<ext> into a folder per camera
  --count N        process: end after N frames
  --latest         process: cameras in turn, of each only its newest frame; for a machine slower than the cameras
  --camera ID      ledger: of this camera alone; probe: this camera of the configuration
  --since TIME     ledger: how far back, such as 90s, 30m, 24h, 7d (default: 24h)
  --still          probe: the URL is that of a still picture over HTTP
  --save FILE      probe: keep a picture, .jpg, .png or .webp
  --seconds N      probe: look for N seconds at most (default: 15; 3600 is the most)
  --help           this text
  --version        the version

Exit codes: 0 clean, 1 status: the daemon is unhealthy, 2 usage, 3 no daemon runs, 69 something needed or the probed feed cannot be had, 70 failed or escalated,
78 invalid configuration or URL.
`;

const WITH_JSON: readonly Word[] = ['status', 'plan', 'ledger', 'probe'];

const OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  force: { type: 'boolean' },
  json: { type: 'boolean' },
  out: { type: 'string' },
  count: { type: 'string' },
  latest: { type: 'boolean' },
  camera: { type: 'string' },
  since: { type: 'string' },
  still: { type: 'boolean' },
  save: { type: 'string' },
  seconds: { type: 'string' },
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
  const [url] = word === 'probe' ? rest.splice(0, 1) : [];
  if (rest.length > 0) throw usage(`"${rest.join(' ')}" is too much`);
  if (word !== 'process' && (values.out ?? values.count) !== undefined)
    throw usage('--out and --count belong to the word "process"');
  if (word !== 'process' && values.latest !== undefined)
    throw usage('--latest belongs to the word "process"');
  if (values.force === true && word !== 'daemon') throw usage('--force belongs to the daemon, not to a word');
  if (values.json === true && !WITH_JSON.includes(word))
    throw usage('--json belongs to the words "status", "plan", "ledger" and "probe"');
  if (word !== 'ledger' && values.since !== undefined) throw usage('--since belongs to the word "ledger"');
  if (word !== 'ledger' && word !== 'probe' && values.camera !== undefined)
    throw usage('--camera belongs to the words "ledger" and "probe"');
  if (word !== 'probe' && (values.save ?? values.seconds) !== undefined)
    throw usage('--save and --seconds belong to the word "probe"');
  if (values.still === true && url === undefined)
    throw usage('--still belongs to the word "probe" with a URL');
  if (word === 'probe' && values.help !== true && (url === undefined) === (values.camera === undefined))
    throw usage('"probe" expects the URL of a feed, or --camera ID, and not both');
  const count = values.count === undefined ? undefined : wholeNumber('--count', values.count);
  const config = path.resolve(values.config ?? path.join(packageDir, 'actors.json'));
  return {
    word,
    config,
    dataDir: path.resolve(values['data-dir'] ?? path.join(path.dirname(config), 'data')),
    force: values.force ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
    ...(values.out === undefined ? {} : { out: path.resolve(values.out) }),
    ...(count === undefined ? {} : { count }),
    ...(url === undefined ? {} : { url }),
    latest: values.latest ?? false,
    still: values.still ?? false,
    ...(values.save === undefined ? {} : { save: path.resolve(values.save) }),
    seconds: wholeNumber('--seconds', values.seconds ?? '15', MAX_PROBE_SECONDS),
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

function wholeNumber(option: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const number = Number(text);
  if (!(Number.isInteger(number) && number > 0)) throw usage(`${option} expects a whole number above 0`);
  if (number > most) throw usage(`${option} expects at most ${String(most)}, found ${text}`);
  return number;
}

function isWord(word: string): word is Word {
  return WORDS.some((known) => known === word);
}

function usage(problem: string): ExitFault {
  return new ExitFault('usage', `${problem}; see --help`);
}
