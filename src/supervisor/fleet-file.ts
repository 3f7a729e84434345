/**
 * Reconciles this node's actors.json with the cameras of its fleet: an edit of the file is published to the fleet, and the fleet's
 * cameras are written into the file. A file that missed an edit of the fleet never undoes it.
 */
import { isDeepStrictEqual } from 'node:util';
import { readBoundedBytes } from '../config/content';
import { EditFault } from '../config/edit/fault';
import { fileStore, type Store } from '../config/edit/store';
import { ConfigurationError } from '../config/faults';
import type { Publication, Shared } from '../fleet/publication';
import { changeText, publicationText } from '../fleet/sentences';
import { FleetMemory, hashOf } from './fleet-memory';
import type { Check, FleetConfigurationState, FleetFileOptions } from './fleet-file-options';
import {
  cameFirst,
  isJson,
  notPublished,
  ownOf,
  refusal,
  subjectOf,
  unknownYet,
  withShared,
} from './fleet-text';

/** Maximum number of rounds, as others may keep writing. */
const MAX_TURNS = 10;

export class FleetFile {
  readonly #memory: FleetMemory;
  /** The cameras of the kept publication, once it has been unsealed. */
  #shared: Shared | undefined;
  #differs: string | undefined;
  #isSettled = false;

  constructor(private readonly options: FleetFileOptions) {
    this.#memory = new FleetMemory(options.data);
  }

  /** This node knows the fleet's cameras, so it may run some of them. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Id of the revision this node runs with; another node with the same id runs the same cameras. */
  get id(): string | undefined {
    return this.#isSettled ? this.#memory.kept?.publication.id : undefined;
  }

  get state(): FleetConfigurationState | undefined {
    if (this.#memory.kept === undefined || !this.#isSettled) return undefined;
    const { revision, node, atMs } = this.#memory.kept.publication;
    return { revision, node, atMs, ...(this.#differs === undefined ? {} : { differs: this.#differs }) };
  }

  /** Where edits are written: for the cameras of the fleet, to etcd first. */
  get store(): Store {
    return {
      read: async () => Buffer.from(this.#effective((await readBoundedBytes(this.options.file)).toString())),
      replace: async (_, after) => this.#publishEdit(after),
    };
  }

  /** Calls `onChange` whenever the file and the fleet's cameras may differ again. */
  follow(onChange: () => void): void {
    const { shared } = this.options;
    shared.onChange = onChange;
    if (shared.isRead) onChange();
  }

  /**
   * Reconciles the fleet's cameras with those of the file.
   * @param text of the file, or an older one if the file cannot be used; the file is then not written
   * @returns the text to run with: that of the file, with the fleet's cameras
   * @throws ConfigurationError, and the daemon keeps running as before
   */
  async settle(text: string, check: Check, mayWrite = true): Promise<string> {
    const { file } = this.options;
    let present = text;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      try {
        const step = await this.#step(present, check, mayWrite);
        if ('text' in step) return step.text;
        present = step.again ?? present;
      } catch (error) {
        throw error instanceof ConfigurationError ? error : refusal(file, error);
      }
    }
    throw refusal(file, new Error('others change it again and again'));
  }

  async #step(
    text: string,
    check: Check,
    mayWrite: boolean,
  ): Promise<{ readonly text: string } | { readonly again?: string }> {
    const { file, shared, log } = this.options;
    if (!shared.isRead) throw new EditFault('fleet-away', 'etcd has not answered since the start');
    const own = ownOf(text);
    const newest = shared.newest;
    if (newest === undefined || (this.#memory.kept?.publication.revision ?? 0) > newest.revision) {
      await this.#publishFirst(text, own, check);
      return {};
    }
    if (newest.id !== this.#memory.kept?.publication.id) {
      this.#takeOver(newest, text, own, check);
      return {};
    }
    this.#shared ??= shared.open(newest);
    if (isDeepStrictEqual(own, this.#shared)) {
      if (mayWrite) this.#become(newest, own);
      this.#isSettled = true;
      return { text };
    }
    if (this.#memory.kept.fileId === newest.id && !this.#memory.isOutdated(own) && mayWrite) {
      check(text, file);
      const next = await shared.publish(own, newest);
      if (next === undefined) return {};
      log.info(`${publicationText(next)}: ${changeText(this.#shared, own)}`, { code: 'fleet-published' });
      this.#become(next, own);
      return {};
    }
    if (mayWrite && !this.#memory.isOutdated(own)) {
      this.#saveCopy(text, newest);
      this.#memory.keep({ ...this.#memory.kept, outdated: hashOf(own) });
    }
    const effective = withShared(text, this.#shared);
    check(effective, subjectOf(newest));
    const differs = mayWrite ? await this.#write(text, effective) : 'it is not valid as it is';
    if (differs === undefined) return { again: effective };
    if (differs === 'again') return { again: (await readBoundedBytes(file)).toString() };
    this.#say(differs);
    this.#isSettled = true;
    return { text: effective };
  }

  /** etcd has no revision, or has lost the newest. */
  async #publishFirst(text: string, own: Shared, check: Check): Promise<void> {
    const { file, shared, log } = this.options;
    if (this.#memory.kept !== undefined) {
      const { publication } = this.#memory.kept;
      if (await shared.restore(publication))
        log.warn(
          `etcd had not the newest cameras of the fleet: this node has written revision ${publication.revision} again`,
          { code: 'fleet-restored' },
        );
      return;
    }
    check(text, file);
    const first = await shared.publish(own, undefined);
    if (first === undefined) return;
    log.info(`${publicationText(first)}, the first, from ${file}`, { code: 'fleet-published' });
    this.#become(first, own);
  }

  #takeOver(newest: Publication, text: string, own: Shared, check: Check): void {
    const { shared, log } = this.options;
    const incoming = shared.open(newest);
    check(withShared(text, incoming), subjectOf(newest));
    const mine = this.#memory.kept?.publication;
    const before = this.#shared ?? this.#openKept();
    const isKnown = [before, incoming].some((one) => isDeepStrictEqual(one, own));
    // This node's first list, published while etcd had lost the list of the others.
    const isReplaced = mine?.revision === 1 && mine.node === shared.node && newest.after !== mine.id;
    if ((!isKnown || isReplaced) && !this.#memory.isOutdated(own)) this.#saveCopy(text, newest);
    const change = before === undefined ? '' : `: ${changeText(before, incoming)}`;
    log.info(
      `applies revision ${newest.revision} of the fleet's cameras from node "${newest.node}"${change}`,
      {
        code: 'fleet-taken',
      },
    );
    this.#memory.keep({ publication: newest, fileId: this.#memory.kept?.fileId, outdated: hashOf(own) });
    this.#shared = incoming;
  }

  /** @throws EditFault */
  async #publishEdit(after: Buffer): Promise<void> {
    const { file, shared } = this.options;
    const [next, before] = [ownOf(after.toString()), (await readBoundedBytes(file)).toString()];
    const { kept } = this.#memory;
    if (!this.#isSettled || kept === undefined || this.#shared === undefined) throw unknownYet();
    const known = kept.publication;
    try {
      if (shared.newest?.id !== known.id) throw cameFirst(file, shared.newest);
      const made = isDeepStrictEqual(next, this.#shared) ? known : await shared.publish(next, known);
      if (made === undefined) throw cameFirst(file, shared.newest);
      this.#shared = next;
      // If this process ends before the file is written, the file is known to be older than the edit.
      this.#memory.keep({ publication: made, fileId: kept.fileId, outdated: hashOf(ownOf(before)) });
    } catch (error) {
      throw notPublished(error);
    }
    const differs = await this.#write(before, after.toString());
    // The file is read again afterwards: a change made meanwhile is a separate edit.
    if (differs !== undefined && differs !== 'again') this.#say(differs);
  }

  /** The text with the fleet's cameras, unless the file contains an edit that is to be published. */
  #effective(text: string): string {
    const { kept } = this.#memory;
    if (this.#shared === undefined || kept === undefined || !isJson(text)) return text;
    const isNew = kept.fileId === kept.publication.id && !this.#memory.isOutdated(ownOf(text));
    return isNew ? text : withShared(text, this.#shared);
  }

  /** Why it could not be written; `again` if the file is no longer `before`. */
  async #write(before: string, after: string): Promise<string | undefined> {
    if (before === after) return undefined;
    try {
      await fileStore(this.options.file).replace(Buffer.from(before), Buffer.from(after));
      return undefined;
    } catch (error) {
      const { code, message } = error as EditFault;
      return code === 'changed-meanwhile' ? 'again' : message;
    }
  }

  #say(differs: string): void {
    if (this.#differs !== differs)
      this.options.log.warn(
        `the cameras of ${this.options.file} differ from the fleet's, which are used: ${differs}`,
        { code: 'fleet-file' },
      );
    this.#differs = differs;
  }

  #saveCopy(text: string, { revision, node }: Publication): void {
    const { file, log } = this.options;
    const copy = this.#memory.saveCopy(text);
    log.warn(
      `${file} has other cameras than revision ${revision} of the fleet, published by node "${node}", which replaces them; the file as it was is kept in ${copy}`,
      { code: 'fleet-replaced' },
    );
  }

  #become(publication: Publication, shared: Shared): void {
    this.#shared = shared;
    this.#differs = undefined;
    this.#memory.keep({ publication, fileId: publication.id });
  }

  #openKept(): Shared | undefined {
    try {
      return this.#memory.kept && this.options.shared.open(this.#memory.kept.publication);
    } catch {
      return undefined;
    }
  }
}
