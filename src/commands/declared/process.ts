/** `process`. */
import { Command } from 'commander';
import { countOption, pathOption, withJson, withPlaces, type Line, type PlaceOptions } from '../options';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  /** Absolute. */
  readonly out?: string;
  readonly count?: number;
  readonly latest?: boolean;
}

export function processCommand(line: Line): Command {
  return withJson(
    withPlaces(new Command('process')),
    'print a line of JSON for every frame, and one at the end; the log goes to standard error',
  )
    .description('consume the detection queue: retrieve, decode and remove every frame')
    .addOption(
      pathOption('--out <dir>', 'save frames as frame_<MM_DD_YYYY-HH_MM_SS>.<ext> in a folder per camera'),
    )
    .addOption(countOption('--count <n>', 'stop after n frames'))
    .option(
      '--latest',
      'process only the newest frame of each camera, when processing is slower than the cameras',
    )
    .action(({ json = false, out, count, latest = false, ...places }: Options) => {
      const found = line.places(places);
      line.begin(async () =>
        (await import('../process')).runProcessCommand({ ...found, json, out, count, latest }),
      );
    });
}
