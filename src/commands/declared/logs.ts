/** `logs`. */
import { Command } from 'commander';
import { countOption, withJson, withPlaces, type Line, type PlaceOptions } from '../options';

/** As many lines as the daemon keeps for ten actors. */
const MAX_LINES = 10_000;

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
}

export function logsCommand(line: Line): Command {
  const command = withJson(withPlaces(new Command('logs')))
    .description('print the newest lines of the log of the running daemon')
    .argument('[name]', 'only lines about one camera, such as "gate", or one actor, such as "store"')
    .option('-f, --follow', 'go on with the lines that come, until Ctrl-C or the end of the daemon')
    .addOption(countOption('-n, --lines <n>', 'how many lines of those kept', MAX_LINES).default(100));
  return command.action((name: string | undefined, options: Options) => {
    const { json = false, follow = false, lines, ...places } = options;
    const { dataDir } = line.places(places);
    line.begin(async () => (await import('../logs')).logs({ dataDir, name, lines, follow, json }));
  });
}
