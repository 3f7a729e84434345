/** `apply`. */
import { Command } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

export function applyCommand(line: Line): Command {
  return withJson(withPlaces(new Command('apply')))
    .description('give the running daemon the cameras and cameraDefaults of the file given by --config')
    .option('--plan', 'only show what would change')
    .action((options: PlaceOptions & { readonly json?: boolean; readonly plan?: boolean }) => {
      const { json = false, plan = false, ...places } = options;
      const found = line.places(places);
      line.begin(async () => (await import('../apply')).apply({ ...found, json, planOnly: plan }));
    });
}
