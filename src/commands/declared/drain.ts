/** `drain`. */
import { Command } from 'commander';
import { withPlaces, type Line, type PlaceOptions } from '../options';

export function drainCommand(line: Line): Command {
  return withPlaces(new Command('drain'))
    .description('give the cameras of this node to the other nodes of its fleet, and end the daemon')
    .action((options: PlaceOptions) => {
      const { dataDir } = line.places(options);
      line.begin(async () => (await import('../drain')).drain({ dataDir }));
    });
}
