/** Options that commands share, and how their values are parsed. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { throwIfNotPermitted } from '../os/access';
import { ExitFault } from '../fault/fault';

/** Where a command finds the configuration and the daemon's data; both absolute. */
export interface Places {
  readonly config: string;
  readonly dataDir: string;
}

/** As given on the command line. */
export interface PlaceOptions {
  readonly config?: string;
  readonly dataDir?: string;
}

/** Runs a command when the whole command line has been parsed; resolves with the exit code. */
export type Run = () => Promise<number>;

/** The parts of the command line that a declared command needs. */
export interface Line {
  /** @throws ExitFault `no-configuration` when the given file does not exist; `not-permitted` */
  places(options: PlaceOptions): Places;
  begin(run: Run): void;
}

/** Adds `--config` and `--data-dir`, which every command accepts. */
export function withPlaces(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: actors.json of the package)')
    .option(
      '--data-dir <dir>',
      'data directory of the daemon (default: data/ beside the configuration file)',
    );
}

export function withJson(command: Command, description = 'print JSON'): Command {
  return command.option('--json', description);
}

export function placesOf({ config, dataDir }: PlaceOptions, packageDir: string): Places {
  const file = path.resolve(config ?? path.join(packageDir, 'actors.json'));
  if (config !== undefined && !existsSync(file)) {
    throwIfNotPermitted(file);
    throw new ExitFault('no-configuration', `--config ${file}: there is no such file`);
  }
  return { config: file, dataDir: path.resolve(dataDir ?? path.join(path.dirname(file), 'data')) };
}

/** An option whose value is a path: absolute, relative to the current directory. */
export function pathOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => path.resolve(text));
}

/** An option whose value is a whole number from 1 to `most`. */
export function countOption(flags: string, description: string, most = Number.MAX_SAFE_INTEGER): Option {
  return new Option(flags, description).argParser((text) => {
    const number = Number(text);
    if (!(Number.isInteger(number) && number > 0))
      throw new InvalidArgumentError('expects a whole number above 0');
    if (number > most) throw new InvalidArgumentError(`expects at most ${most}`);
    return number;
  });
}

/** May be given several times. */
export function tagOption(description: string): Option {
  return new Option('--tag <tag>', description).argParser((tag, before: readonly string[] | undefined) => [
    ...(before ?? []),
    tag,
  ]);
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a time such as `90s`. */
export function durationMs(text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS_MS[unit] ?? NaN);
  if (!(ms > 0)) throw new InvalidArgumentError('expects a time such as 90s, 30m, 24h or 7d');
  return ms;
}
