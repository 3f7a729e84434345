/** `completion`. */
import { Argument, Command } from 'commander';
import { withPlaces, type Line, type PlaceOptions } from '../options';
import type { CompletedCommand } from '../completion-scripts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** Lists that the scripts request while a user types. */
const NAMES = ['cameras', 'tags'] as const;

/** @param program the command line that is completed, called when all of it is declared */
export function completionCommand(line: Line, program: () => Command): Command {
  return withPlaces(new Command('completion'))
    .description('print a script that completes commands, options and camera ids in a shell')
    .addArgument(
      new Argument('<shell>', 'bash, zsh or fish; cameras or tags lists those of the configuration').choices([
        ...SHELLS,
        ...NAMES,
      ]),
    )
    .action((what: (typeof SHELLS | typeof NAMES)[number], options: PlaceOptions) => {
      const { config } = line.places(options);
      const commands = program().commands.map(completed);
      line.begin(async () => (await import('../completion')).completion({ what, config, commands }));
    });
}

function completed(command: Command): CompletedCommand {
  return {
    name: command.name(),
    description: command.description(),
    words: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    takesCamera: command.registeredArguments.some((argument) => ['camera', 'name'].includes(argument.name())),
    options: [
      ...command.options.flatMap(({ long, description, required }) =>
        typeof long === 'string' ? [{ long, description, takesValue: required }] : [],
      ),
      { long: '--help', description: 'print this help', takesValue: false },
    ],
  };
}
