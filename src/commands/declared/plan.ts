/** `plan`. */
import { Command } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

export function planCommand(line: Line): Command {
  return withJson(withPlaces(new Command('plan')))
    .description('show what the file given by --config would change in the running daemon')
    .action(({ json = false, ...places }: PlaceOptions & { readonly json?: boolean }) => {
      const found = line.places(places);
      line.begin(async () => (await import('../plan')).plan({ ...found, json }));
    });
}
