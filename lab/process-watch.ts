/** What the processes below a daemon were started with, looked at while they run. */
import { readFileSync } from 'node:fs';
import { descendants, type Daemon } from './daemon';

/** Often enough for programs that live shortly. */
const LOOK_MS = 30;

/** Everything the processes below the daemon were ever started with. */
export class ProcessWatch {
  readonly found = new Set<string>();
  readonly commands = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly daemon: Daemon,
    needles: () => readonly string[],
  ) {
    this.#timer = setInterval(() => {
      for (const pid of descendants(daemon.pid)) this.#look(pid, needles());
      this.#search(daemon.pid, 'cmdline', needles());
    }, LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(pid: number, needles: readonly string[]): void {
    const command = this.#search(pid, 'cmdline', needles);
    // A fork that has not executed its program yet still is the daemon, with the daemon's environment.
    if (command === textOf(this.daemon.pid, 'cmdline')) return;
    this.commands.add(command.replaceAll('\0', ' '));
    this.#search(pid, 'environ', needles);
  }

  #search(pid: number, file: 'cmdline' | 'environ', needles: readonly string[]): string {
    const text = textOf(pid, file);
    if (needles.some((needle) => text.includes(needle)))
      this.found.add(`${file} of ${textOf(pid, 'comm').trim()}`);
    return text;
  }
}

export function textOf(pid: number, file: 'cmdline' | 'environ' | 'comm' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it ended while we looked
  }
}
