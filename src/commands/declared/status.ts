/** `status`. */
import { Command } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

export function statusCommand(line: Line): Command {
  const command = withJson(withPlaces(new Command('status')))
    .description('show the running daemon and its children')
    .argument('[name]', 'show everything about one child, such as "store" or "camera:gate"')
    .option('--watch', 'redraw it every second until Ctrl-C, without other queues');
  return command.action((name: string | undefined, { json = false, watch = false, ...places }: Options) => {
    if (json && watch) command.error('--watch shows text; leave out --json, or repeat the command');
    const { dataDir } = line.places(places);
    line.begin(async () => (await import('../status')).status({ dataDir, json, watch, name }));
  });
}
