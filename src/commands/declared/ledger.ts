/** `ledger`. */
import { Command, Option } from 'commander';
import { durationMs, tagOption, withJson, withPlaces, type Line, type PlaceOptions } from '../options';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly fleet?: boolean;
  readonly camera?: string;
  readonly tag?: readonly string[];
  /** Milliseconds. */
  readonly since: number;
}

export function ledgerCommand(line: Line): Command {
  return withJson(withPlaces(new Command('ledger')))
    .description('show the outcome of every sampling period: coverage and gaps of each camera')
    .option('--fleet', 'of all nodes of the fleet together, as they have copied it to Redis')
    .option('--camera <id>', 'show only this camera')
    .addOption(tagOption('show only cameras that have this tag now; repeatable, as in status'))
    .addOption(
      new Option('--since <time>', 'how far to look back, such as 90s, 30m, 24h or 7d')
        .argParser(durationMs)
        .default(durationMs('24h'), '24h'),
    )
    .action(({ json = false, fleet = false, camera, tag: tags = [], since: sinceMs, ...places }: Options) => {
      const found = line.places(places);
      line.begin(async () =>
        (await import('../ledger')).ledger({ ...found, json, fleet, camera, tags, sinceMs }),
      );
    });
}
