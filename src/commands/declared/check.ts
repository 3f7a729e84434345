/** `check`. */
import { Command } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

export function checkCommand(line: Line): Command {
  return withJson(withPlaces(new Command('check')))
    .description('validate the configuration and print what it requires, without starting anything')
    .action(({ json = false, ...places }: PlaceOptions & { readonly json?: boolean }) => {
      const found = line.places(places);
      line.begin(async () => (await import('../check')).check({ ...found, json }));
    });
}
