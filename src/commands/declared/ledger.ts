/** `ledger`. */
import { Command, Option } from 'commander';
import { durationMs, withJson, withPlaces, type Line, type PlaceOptions } from '../options';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly camera?: string;
  /** Milliseconds. */
  readonly since: number;
}

export function ledgerCommand(line: Line): Command {
  return withJson(withPlaces(new Command('ledger')))
    .description('show the outcome of every sampling period: coverage and gaps of each camera')
    .option('--camera <id>', 'show only this camera')
    .addOption(
      new Option('--since <time>', 'how far to look back, such as 90s, 30m, 24h or 7d')
        .argParser(durationMs)
        .default(durationMs('24h'), '24h'),
    )
    .action(({ json = false, camera, since, ...places }: Options) => {
      const { dataDir } = line.places(places);
      line.begin(async () => (await import('../ledger')).ledger({ dataDir, json, camera, sinceMs: since }));
    });
}
