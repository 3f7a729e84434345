/**
 * Folders of this user in a place where every user may create some (/dev/shm). Their names are predictable,
 * so another user may have created one: it is never opened, and a folder with an unpredictable suffix is used
 * instead.
 */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { foreignness, OPEN_TO_OTHERS } from './ownership';

/** The suffix mkdtemp(3) generates for `XXXXXX`. */
const ENDING = /^\.[A-Za-z0-9]{6}$/;

export class OwnFolders {
  #known: readonly string[] = [];
  #refused: readonly string[] = [];

  /** @param base path of the folder that is used unless it belongs to another user */
  constructor(private readonly base: string) {}

  /** The folders found last, without searching again. */
  get known(): readonly string[] {
    return this.#known;
  }

  /** Sentences about folders found last that belong to another user. */
  get refused(): readonly string[] {
    return this.#refused;
  }

  /** The existing folders. */
  find(): readonly string[] {
    const [known, refused]: [string[], string[]] = [[], []];
    for (const folder of this.#candidates()) {
      const why = whyNot(folder);
      if (why === undefined) known.push(folder);
      else if (why !== 'gone') refused.push(`${folder} ${why}`);
    }
    this.#known = known;
    this.#refused = refused;
    return known;
  }

  /** A folder to write to, created if there is none. */
  open(): string {
    const known = this.#known.find((folder) => whyNot(folder) === undefined) ?? this.find()[0];
    if (known !== undefined) return known;
    const made = this.#make();
    this.#known = [made];
    return made;
  }

  #make(): string {
    try {
      mkdirSync(this.base, { mode: 0o700 });
      return this.base;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // Either ours, just created by another process, or another user's.
      return this.find()[0] ?? mkdtempSync(`${this.base}.`);
    }
  }

  #candidates(): string[] {
    const [parent, name] = [path.dirname(this.base), path.basename(this.base)];
    return readdirSync(parent)
      .filter((entry) => entry === name || (entry.startsWith(name) && ENDING.test(entry.slice(name.length))))
      .map((entry) => path.join(parent, entry));
  }
}

function whyNot(folder: string): string | undefined {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return 'gone';
  return foreignness(found, { kind: 'folder', mode: OPEN_TO_OTHERS, root: false });
}
