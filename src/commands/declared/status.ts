/** `status`. */
import { Command } from 'commander';
import { tagOption, withJson, withPlaces, type Line, type PlaceOptions } from '../options';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly fleet?: boolean;
  readonly tag?: readonly string[];
}

export function statusCommand(line: Line): Command {
  const command = withJson(withPlaces(new Command('status')))
    .description('show the running daemon and its children')
    .argument('[name]', 'show everything about one child, such as "store" or "camera:gate"')
    .addOption(tagOption('show only cameras with this tag; repeatable, for cameras that have all of them'))
    .option('--fleet', 'show the nodes of the fleet, and which of them has which camera since when')
    .option('--watch', 'redraw it every second until Ctrl-C, without other queues');
  return command.action((name: string | undefined, options: Options) => {
    const { json = false, watch = false, fleet = false, tag: tags = [], ...places } = options;
    if (name !== undefined && tags.length > 0)
      command.error('--tag chooses among all cameras; leave out it or the name');
    if (fleet && (name !== undefined || tags.length > 0))
      command.error('--fleet shows all nodes and cameras; leave out it or the name and --tag');
    if (json && watch) command.error('--watch shows text; leave out --json, or repeat the command');
    const { dataDir } = line.places(places);
    line.begin(async () => (await import('../status')).status({ dataDir, json, fleet, watch, name, tags }));
  });
}
