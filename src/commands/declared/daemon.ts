/** `daemon`, the default command. */
import { Command } from 'commander';
import { withPlaces, type Line, type PlaceOptions } from '../options';

export function daemonCommand(line: Line): Command {
  return withPlaces(new Command('daemon'))
    .description('run the daemon (the default command)')
    .option('--force', 'take over the namespace from another daemon, which then stops')
    .action(({ force = false, ...places }: PlaceOptions & { readonly force?: boolean }) => {
      const found = line.places(places);
      line.begin(async () => (await import('../daemon')).runDaemon({ ...found, force }));
    });
}
