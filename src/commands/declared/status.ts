/** `status`. */
import { Command } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

export function statusCommand(line: Line): Command {
  return withJson(withPlaces(new Command('status')))
    .description('show the running daemon and its children')
    .argument('[name]', 'show everything about one child, such as "store" or "camera:gate"')
    .action((name: string | undefined, options: PlaceOptions & { readonly json?: boolean }) => {
      const { dataDir } = line.places(options);
      const { json = false } = options;
      line.begin(async () => (await import('../status')).status({ dataDir, json, name }));
    });
}
