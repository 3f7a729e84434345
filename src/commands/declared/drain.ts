/** `drain`. */
import { Command } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

export function drainCommand(line: Line): Command {
  return withJson(withPlaces(new Command('drain')))
    .description('give the cameras of this node to the other nodes of its fleet, and end the daemon')
    .action(({ json = false, ...places }: PlaceOptions & { readonly json?: boolean }) => {
      const { dataDir } = line.places(places);
      line.begin(async () => (await import('../drain')).drain({ dataDir, json }));
    });
}
