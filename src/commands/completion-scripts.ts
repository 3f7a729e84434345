/** Scripts that let shells complete the command line. Pure. */

export type Shell = 'bash' | 'zsh' | 'fish';

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  /** The values its argument may have. */
  readonly words: readonly string[];
  readonly takesCamera: boolean;
  readonly options: readonly {
    readonly long: string;
    readonly description: string;
    readonly takesValue: boolean;
  }[];
}

/** How the value of an option is completed. */
const VALUES: Readonly<Record<string, 'cameras' | 'tags' | 'files' | 'folders'>> = {
  '--camera': 'cameras',
  '--tag': 'tags',
  '--config': 'files',
  '--save': 'files',
  '--data-dir': 'folders',
  '--out': 'folders',
};

export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  if (shell === 'fish') return fish(commands);
  const script = bash(commands);
  return shell === 'bash'
    ? `# source <(vigil completion bash)\n${script}`
    : `# source <(vigil completion zsh)\nautoload -U +X compinit bashcompinit && compinit && bashcompinit\n${script}`;
}

function bash(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const valued = [
    ...new Set(
      commands.flatMap(({ options }) => options.filter((o) => o.takesValue).map(({ long }) => long)),
    ),
  ];
  const others = valued.filter((long) => VALUES[long] === undefined);
  const kind = (wanted: string) => valued.filter((long) => VALUES[long] === wanted).join('|');
  const cases = commands.map(
    ({ name, options, words }) =>
      `    ${name}) options='${options.map(({ long }) => long).join(' ')}' words='${words.join(' ')}' ;;`,
  );
  const cameras = commands.filter(({ takesCamera }) => takesCamera).map(({ name }) => name);
  return `_vigil() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= options= words= config= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    --config) config=\${COMP_WORDS[i+1]} ;;
    ${names.replaceAll(' ', '|')})
      case \${COMP_WORDS[i-1]} in
      ${valued.join('|')}) ;;
      *) [ -n "$command" ] || command=\${COMP_WORDS[i]} ;;
      esac ;;
    esac
  done
  case $before in
  ${kind('cameras')}) COMPREPLY=($(compgen -W "$(_vigil_names cameras "$config")" -- "$word")); return ;;
  ${kind('tags')}) COMPREPLY=($(compgen -W "$(_vigil_names tags "$config")" -- "$word")); return ;;
  ${kind('files')}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  ${kind('folders')}) COMPREPLY=($(compgen -d -- "$word")); return ;;
  ${others.join('|')}) return ;;
  esac
  case $command in
${cases.join('\n')}
  *) options='--help --version' words='${names} help' ;;
  esac
  case $word in
  -*) words=$options ;;
  *)
    case $command in
    ${cameras.join('|')}) words="$words $(_vigil_names cameras "$config")" ;;
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
_vigil_names() {
  if [ -n "$2" ]; then vigil completion "$1" --config "$2" 2>/dev/null; else vigil completion "$1" 2>/dev/null; fi
}
complete -F _vigil vigil
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;
  const lines = commands.flatMap(({ name, description, options, words, takesCamera }) => {
    const within = quoted(`__fish_seen_subcommand_from ${name}`);
    return [
      `complete -c vigil -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
      ...(words.length === 0 ? [] : [`complete -c vigil -n ${within} -a ${quoted(words.join(' '))}`]),
      ...(takesCamera ? [`complete -c vigil -n ${within} -a '(vigil completion cameras 2>/dev/null)'`] : []),
      ...options.map(
        ({ long, description: what, takesValue }) =>
          `complete -c vigil -n ${within} -l ${long.slice(2)}${takesValue ? fishValue(long) : ''} -d ${quoted(what)}`,
      ),
    ];
  });
  return `# vigil completion fish | source\ncomplete -c vigil -f\n${lines.join('\n')}\n`;
}

function fishValue(long: string): string {
  const kind = VALUES[long];
  if (kind === 'cameras' || kind === 'tags') return ` -x -a '(vigil completion ${kind} 2>/dev/null)'`;
  if (kind === 'folders') return " -x -a '(__fish_complete_directories)'";
  return kind === 'files' ? ' -r -F' : ' -x';
}
