/** `probe`. */
import { Command } from 'commander';
import { countOption, pathOption, withJson, withPlaces, type Line, type PlaceOptions } from '../options';

/** An hour: a feed that is to be watched longer is configured as a camera. */
const MAX_SECONDS = 3600;

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly camera?: string;
  readonly still?: boolean;
  /** Absolute. */
  readonly save?: string;
  readonly seconds: number;
}

export function probeCommand(line: Line): Command {
  const command = withJson(withPlaces(new Command('probe')))
    .description('open one feed and report its properties, or why it delivers no picture; needs no daemon')
    .argument('[url]', 'URL of the feed; visible in the process list while the probe runs')
    .option('--camera <id>', 'probe a camera of the configuration instead of a URL')
    .option('--still', 'the URL is that of a still picture over HTTP')
    .addOption(
      pathOption('--save <file>', 'save one picture; the extension sets the format: .jpg, .png or .webp'),
    )
    .addOption(countOption('--seconds <n>', 'watch the feed for at most n seconds', MAX_SECONDS).default(15));
  return command.action((url: string | undefined, options: Options) => {
    const { json = false, camera, still = false, save, seconds, ...places } = options;
    if ((url === undefined) === (camera === undefined))
      command.error('"probe" expects the URL of a feed, or --camera ID, and not both');
    if (still && url === undefined) command.error('--still needs a URL');
    const { config } = line.places(places);
    const asked = { config, json, url, camera, still, save, seconds };
    line.begin(async () => (await import('../probe')).probe(asked));
  });
}
