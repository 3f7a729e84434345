/** `completion`: a script for a shell, and the names that script asks for. */
import { namedCameras } from '../config/named-cameras';
import { print } from '../os/output';
import { completionScript, type CompletedCommand, type Shell } from './completion-scripts';
import { EXIT } from './exit-codes';

export interface CompletionOptions {
  readonly what: Shell | 'cameras' | 'tags';
  readonly config: string;
  readonly commands: readonly CompletedCommand[];
}

/** Prints the script or the names; resolves with the exit code. Without a readable configuration, prints no names. */
export async function completion({ what, config, commands }: CompletionOptions): Promise<number> {
  await print(
    what === 'cameras' || what === 'tags' ? lines(namesIn(config, what)) : completionScript(what, commands),
  );
  return EXIT.clean;
}

function namesIn(config: string, what: 'cameras' | 'tags'): string[] {
  try {
    const cameras = namedCameras(config);
    return what === 'cameras'
      ? cameras.map(({ id }) => id)
      : [...new Set(cameras.flatMap(({ tags }) => tags))].sort();
  } catch {
    return [];
  }
}

/** Names with characters special to a shell are left out, as the shell would interpret them. */
function lines(names: readonly string[]): string {
  return names
    .filter((name) => /^[\w.:-]+$/.test(name))
    .map((name) => `${name}\n`)
    .join('');
}
