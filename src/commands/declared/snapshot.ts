/** `snapshot`. */
import path from 'node:path';
import { Command } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

const STANDARD_OUTPUT = '-';

export function snapshotCommand(line: Line): Command {
  const command = withJson(withPlaces(new Command('snapshot')))
    .description('save the present picture of a camera of the running daemon as JPEG')
    .argument('<camera>', 'id of the camera')
    .argument('[file]', 'a name that ends with .jpg; - for standard output (default: <camera>.jpg)');
  return command.action(
    (camera: string, given: string | undefined, options: PlaceOptions & { readonly json?: boolean }) => {
      const { json = false, ...places } = options;
      const name = given ?? `${camera}.jpg`;
      if (name !== STANDARD_OUTPUT && !/\.jpe?g$/i.test(name))
        command.error(`"snapshot" expects a name that ends with .jpg, or -, found "${name}"`);
      if (name === STANDARD_OUTPUT && json)
        command.error('--json needs a file: standard output cannot take both it and the picture');
      const file = name === STANDARD_OUTPUT ? undefined : path.resolve(name);
      const found = line.places(places);
      line.begin(async () => (await import('../snapshot')).snapshot({ ...found, camera, file, json }));
    },
  );
}
