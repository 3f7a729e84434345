/** `camera`. */
import { Command, Option } from 'commander';
import { withJson, withPlaces, type Line, type PlaceOptions } from '../options';

const ACTIONS = ['list', 'add', 'set', 'remove', 'restart'] as const;
type Action = (typeof ACTIONS)[number];

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly plan?: boolean;
  readonly stdin?: boolean;
  readonly ifMatch?: string;
}

const EXAMPLES = `
Examples:
  camera add gate url=rtsp://192.168.1.20/stream rate=2
  camera add gate --stdin < gate.json        (keeps a password out of the process list)
  camera set gate enabled=false              (null takes a setting away: quality=null)
  camera remove gate --plan
`;

export function cameraCommand(line: Line): Command {
  const command = withJson(withPlaces(new Command('camera')))
    .description(
      'list, add, change, remove or restart cameras: edits the configuration, whose text stays otherwise',
    )
    .argument('<action>', `what to do: ${ACTIONS.join(', ')}`)
    .argument('[id]', 'id of the camera')
    .argument('[settings...]', 'name=value, as in actors.json; text needs no quotation marks')
    .option('--stdin', 'read the settings from standard input, as a JSON object')
    .option('--plan', 'only show what the edit would change')
    .addOption(new Option('--if-match <etag>', 'refuse if the file is not the one that "list --json" named'))
    .addHelpText('after', EXAMPLES);
  return command.action((named: string, id: string | undefined, pairs: string[], options: Options) => {
    const { json = false, plan = false, stdin = false, ifMatch, ...places } = options;
    const action: Action =
      ACTIONS.find((each) => each === named) ??
      command.error(
        `"camera" expects ${ACTIONS.slice(0, -1).join(', ')} or ${ACTIONS.at(-1) ?? ''}, found "${named}"`,
      );
    if (action !== 'list' && id === undefined) command.error(`"camera ${action}" needs the id of a camera`);
    if (action === 'list' && id !== undefined) command.error('"camera list" expects no id');
    const takesSettings = action === 'add' || action === 'set';
    if (!takesSettings && (pairs.length > 0 || stdin))
      command.error(`"camera ${action}" expects no settings`);
    if (takesSettings && pairs.length === 0 && !stdin)
      command.error(`"camera ${action}" expects settings, such as rate=2, or --stdin`);
    const wrong = pairs.find((pair) => !/^[A-Za-z.]+=/.test(pair));
    if (wrong !== undefined)
      command.error(`"camera ${action}" expects name=value, found "${wrong.slice(0, 20)}"`);
    const found = line.places(places);
    const asked = { ...found, action, id: id ?? '', pairs, json, planOnly: plan, stdin, ifMatch };
    line.begin(async () => (await import('../camera')).camera(asked));
  });
}
