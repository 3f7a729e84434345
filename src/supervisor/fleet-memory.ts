/** The data about the shared cameras that a node of a fleet keeps in its data directory across restarts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Publication, Shared } from '../fleet/publication';
import type { DataFiles } from './data-files';

const FILE = 'fleet-configuration.json';
/** Copies of files that the fleet's cameras have replaced; passwords are stored in them as they were in actors.json. */
const REPLACED_DIR = 'replaced-configuration';

export interface Kept {
  /** The newest revision that this node applied, with its credentials sealed as they are in etcd. */
  readonly publication: Publication;
  /** Id of the publication the file last agreed with. */
  readonly fileId?: string | undefined;
  /** Hash of cameras in the file that are not to be published. */
  readonly outdated?: string | undefined;
}

export class FleetMemory {
  #kept: Kept | undefined;

  constructor(private readonly data: DataFiles) {
    this.#kept = readKept(data.path(FILE));
  }

  get kept(): Kept | undefined {
    return this.#kept;
  }

  /** @throws an error of the file system */
  keep(kept: Kept): void {
    const isSame = isDeepStrictEqual(ids(this.#kept), ids(kept));
    this.#kept = kept;
    if (!isSame) this.data.writePrivateText(FILE, JSON.stringify(kept));
  }

  /** Whether `shared` are cameras in the file that are not to be published. */
  isOutdated(shared: Shared): boolean {
    return this.#kept?.outdated === hashOf(shared);
  }

  /**
   * Keeps a file that is about to be replaced.
   * @returns the path of the copy
   */
  saveCopy(text: string): string {
    const name = `actors-${new Date().toISOString().replaceAll(':', '-')}.json`;
    this.data.folder(REPLACED_DIR);
    this.data.writePrivateText(REPLACED_DIR, text, name);
    return this.data.path(REPLACED_DIR, name);
  }
}

export function hashOf(shared: Shared): string {
  return createHash('sha256').update(JSON.stringify(shared)).digest('hex');
}

function ids(kept: Kept | undefined): unknown {
  return kept && [kept.publication.id, kept.fileId, kept.outdated];
}

/** A damaged file is ignored. */
function readKept(file: string): Kept | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}
