/** The command line: parses it, and reports what is wrong with it. Commands load their modules when they run. */
import { Command, CommanderError, type Option } from 'commander';
import { ExitFault } from '../../fault/fault';
import { applyCommand } from './apply';
import { cameraCommand } from './camera';
import { checkCommand } from './check';
import { completionCommand } from './completion';
import { daemonCommand } from './daemon';
import { drainCommand } from './drain';
import { ledgerCommand } from './ledger';
import { logsCommand } from './logs';
import { planCommand } from './plan';
import { probeCommand } from './probe';
import { processCommand } from './process';
import { snapshotCommand } from './snapshot';
import { statusCommand } from './status';
import { placesOf, type Line, type Run } from '../options';
import { nearest } from '../suggestion';

const ABOUT = 'Vigil: one picture a second from every camera, in Redis, announced on RabbitMQ.';
const EXIT_CODES = `
Exit codes:
  0   success
  1   status: the daemon is unhealthy
  2   the command line is wrong
  3   no daemon is running
  69  something needed is missing, or a feed or camera has no present picture
  70  internal error, or a required child restarted too often
  75  the configuration was changed meanwhile; try again
  78  the configuration, an edit of it, or the URL to probe, is not valid
`;
const SERVICES: readonly string[] = ['daemon', 'process'];

/** What a command line asks for. */
export type Asked =
  | { readonly kind: 'text'; readonly text: string }
  /** @param serves whether the command runs until a signal ends it */
  | { readonly kind: 'run'; readonly command: string; readonly serves: boolean; readonly run: Run };

/**
 * @param argv without node and script
 * @param packageDir folder of package.json
 * @param version called for `--version`
 * @throws ExitFault `usage`, `no-configuration`
 */
export function readCommandLine(argv: readonly string[], packageDir: string, version: () => string): Asked {
  let text = '';
  let asked: Asked | undefined;
  const line: Line = {
    places: (options) => placesOf(options, packageDir),
    begin: (run) => {
      asked = { kind: 'run', command, serves: SERVICES.includes(command), run };
    },
  };
  const program = programOf(line, (part) => (text += part));
  const { command, args } = commandFirst(argv, program);
  if (args.includes('--version') || args.includes('-v')) return { kind: 'text', text: `${version()}\n` };
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usage(sentenceOf(error, program, command), command);
  }
  return asked ?? { kind: 'text', text };
}

function programOf(line: Line, write: (text: string) => void): Command {
  const program = new Command('node dist/main.js')
    .description(ABOUT)
    .usage('[command] [options]')
    .option('-v, --version', 'print the version')
    .addHelpText('after', EXIT_CODES);
  for (const command of [
    daemonCommand(line),
    checkCommand(line),
    statusCommand(line),
    planCommand(line),
    drainCommand(line),
    ledgerCommand(line),
    logsCommand(line),
    cameraCommand(line),
    applyCommand(line),
    probeCommand(line),
    snapshotCommand(line),
    processCommand(line),
    completionCommand(line, () => program),
  ])
    program.addCommand(command);
  program.helpCommand('help [command]', 'print the help of a command');
  for (const each of [program, ...program.commands])
    each
      .helpOption('-h, --help', 'print this help')
      .configureOutput({ writeOut: write, writeErr: () => undefined })
      .exitOverride();
  return program;
}

/** Options may precede the command: it is moved to the front, and is `daemon` if none is named. */
function commandFirst(argv: readonly string[], program: Command): { command: string; args: string[] } {
  const options = [program, ...program.commands].flatMap((command) => command.options);
  const at = firstOperand(argv, options);
  const named = at === -1 ? undefined : argv[at];
  const rest = at === -1 ? [...argv] : argv.toSpliced(at, 1);
  if (named === 'help') return commandFirst([...rest, '--help'], program);
  if (named === undefined) {
    const asksForHelp = rest.includes('--help') || rest.includes('-h');
    return { command: 'daemon', args: asksForHelp ? ['--help'] : ['daemon', ...rest] };
  }
  const names = program.commands.map((command) => command.name());
  if (!names.includes(named)) throw usage(`unknown command "${named}"${suggestion(named, names)}`);
  return { command: named, args: [named, ...rest] };
}

/** Index of the first argument that is neither an option nor its value; -1 if there is none. */
function firstOperand(argv: readonly string[], options: readonly Option[]): number {
  const takesValue = (arg: string | undefined) =>
    arg !== undefined &&
    options.some(({ long, short, required }) => required && (long === arg || short === arg));
  const end = argv.indexOf('--');
  return argv.findIndex(
    (arg, i) => !arg.startsWith('-') && !takesValue(argv[i - 1]) && (end === -1 || i < end),
  );
}

function suggestion(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

/** A CommanderError as one sentence. */
function sentenceOf({ code, message }: CommanderError, program: Command, command: string): string {
  const said = message.replace(/^error: /, '');
  if (code === 'commander.unknownOption') {
    const option = /'([^']*)'/.exec(said)?.[1] ?? '';
    const owners = program.commands.filter(({ options }) => options.some(({ long }) => long === option));
    if (owners.length > 0) return `${option} is an option of ${listOf(owners)}, not of "${command}"`;
    return `unknown option "${option}"${suggestion(option, optionsOf(program, command))}`;
  }
  if (code === 'commander.excessArguments') {
    const { args = [], registeredArguments = [] } =
      program.commands.find((each) => each.name() === command) ?? {};
    return `unexpected argument "${args.slice(registeredArguments.length).join(' ')}"`;
  }
  const [, flag, value, problem] = /^option '(\S+).*?' argument '(.*)' is invalid\. (.*)$/s.exec(said) ?? [];
  if (flag !== undefined) return `${flag} ${problem ?? ''}, found "${value ?? ''}"`;
  return said.replace(/^option '(\S+).*' argument missing$/, '$1 needs a value');
}

function optionsOf(program: Command, command: string): string[] {
  const found = program.commands.find((each) => each.name() === command);
  return ['--help', ...(found?.options ?? []).flatMap(({ long }) => long ?? [])];
}

function listOf(commands: readonly Command[]): string {
  return new Intl.ListFormat('en').format(commands.map((command) => `"${command.name()}"`));
}

function usage(problem: string, command?: string): ExitFault {
  const help = command === undefined ? '--help' : `${command} --help`;
  return new ExitFault('usage', problem.endsWith('?') ? `${problem} See ${help}` : `${problem}; see ${help}`);
}
