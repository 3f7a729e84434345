/** `check`. */
import { Command } from 'commander';
import { withPlaces, type Line, type PlaceOptions } from '../options';

export function checkCommand(line: Line): Command {
  return withPlaces(new Command('check'))
    .description('validate the configuration and print what it requires, without starting anything')
    .action((options: PlaceOptions) => {
      const places = line.places(options);
      line.begin(async () => (await import('../check')).check(places));
    });
}
