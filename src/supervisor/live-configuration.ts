/** Applies edits of actors.json to the running tree, as a whole or not at all. */
import { editFile, type Edited, type EditRequest } from '../config/edit/file';
import { EditFault } from '../config/edit/fault';
import { ConfigurationError, type ConfigFault, type Refusal } from '../config/faults';
import { fileStore, type Store } from '../config/edit/store';
import { parseTopology, unreadable } from '../config/load';
import type { Topology } from '../config/topology';
import { isSameContent, readContent, watchContent, type FileContent } from '../config/watch';
import type { Log } from '../log/log';
import type { FleetFile } from './fleet-file';
import type { FleetConfigurationState } from './fleet-file-options';
import { isEmpty, sentenceOf, type Plan } from './plan';
import type { MissingProgram } from './programs';
import type { Supervisor } from './supervisor';

export interface LiveConfigurationOptions {
  readonly file: string;
  /** The text the daemon was started with. */
  readonly text: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly supervisor: Pick<Supervisor, 'plan' | 'claim' | 'apply' | 'behind'>;
  /** The programs that a configuration needs and this machine does not have. */
  readonly missing: (wanted: Topology) => readonly MissingProgram[];
  readonly log: Log;
  /** On a node of a fleet: the cameras all nodes share. */
  readonly fleet?: FleetFile | undefined;
  /** An edit is being rolled out. */
  readonly onTaken: (wanted: Topology) => void;
}

export interface ConfigurationState {
  readonly file: string;
  /** When all actors had applied the running configuration, milliseconds since the epoch. */
  readonly appliedAtMs: number;
  /** Number of actors that have not applied the newest edit yet. */
  readonly behind?: number;
  /** Why the daemon does not run with the current file, but with what it had before. */
  readonly refusal?: Refusal;
  readonly faults?: readonly ConfigFault[];
  /** What is refused, if it is not the file. */
  readonly refused?: string;
  /** On a node of a fleet, once it knows the fleet's cameras. */
  readonly fleet?: FleetConfigurationState;
}

const AGAIN = 'fix that, then save the file again or send SIGHUP';

export class LiveConfiguration {
  #state: ConfigurationState;
  #taking: Promise<void> = Promise.resolve();
  /** The content applied or refused last. */
  #taken: FileContent;
  /** The newest text the daemon can run with. */
  #usable: string;
  /** Number of edits seen so far. */
  #edits = 0;
  #begin: () => void = () => undefined;
  readonly #begun = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });

  constructor(private readonly options: LiveConfigurationOptions) {
    this.#state = { file: options.file, appliedAtMs: Date.now() };
    this.#taken = { text: options.text };
    this.#usable = options.text;
  }

  get state(): ConfigurationState {
    const { supervisor, fleet } = this.options;
    const { behind } = supervisor;
    return {
      ...this.#state,
      ...(behind === 0 ? {} : { behind }),
      ...(fleet?.state === undefined ? {} : { fleet: fleet.state }),
    };
  }

  /** Where edits are written. */
  get store(): Store {
    const { file, fleet } = this.options;
    return fleet?.store ?? fileStore(file);
  }

  /** Applies every edit of the file, and of the fleet, until `signal` is aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    const { file, fleet } = this.options;
    this.#begin();
    fleet?.follow(() => void this.reload());
    const isTaken = (content: FileContent) => isSameContent(content, this.#taken);
    await watchContent(file, isTaken, (content) => this.#takeIfStill(content), signal);
  }

  /** Applies the current file, changed or not. */
  async reload(): Promise<void> {
    await this.#inTurn(async () => this.#apply(await readContent(this.options.file)));
  }

  /**
   * What would change if `text` replaced the configuration.
   * @param file where the text is from: relative paths in it are resolved against its folder
   * @throws ConfigurationError when the daemon would not apply it
   */
  plan(text: string, file: string): Plan {
    return this.#planOf(parseTopology(text, file, this.options.environment), file);
  }

  /**
   * Writes an edit into the file and applies it like one made by hand, or only returns what it would change. Edits wait for
   * each other, and until the daemon has started.
   * @throws EditFault
   */
  async edit(request: EditRequest): Promise<Edited<Plan>> {
    await this.#begun;
    return this.#inTurn(async () => {
      const { file } = this.options;
      const edited = await this.resolve(request, (wanted) => this.#planOf(wanted, file));
      if (request.planOnly === true) return edited;
      // In a fleet the file may be read-only, and what counts is in etcd.
      await this.#apply(this.options.fleet === undefined ? { text: edited.text } : await readContent(file));
      const { faults: [fault] = [] } = this.#state;
      if (fault === undefined) return edited;
      throw new EditFault('not-applied', `${file} was written, but it ${fault.problem}`, [fault]);
    });
  }

  /** Like {@link edit}, with `outcomeOf` in place of the plan; nothing is applied. */
  async resolve<P>(request: EditRequest, outcomeOf: (wanted: Topology) => P): Promise<Edited<P>> {
    const { file, environment } = this.options;
    return editFile(file, environment, request, outcomeOf, this.store);
  }

  /** An earlier edit in the queue may have replaced the content seen, which is then ignored. */
  async #takeIfStill(seen: FileContent): Promise<void> {
    await this.#inTurn(async () => {
      if (isSameContent(seen, await readContent(this.options.file))) await this.#apply(seen);
    });
  }

  /** One after the other, but without waiting for a rollout: the next edit supersedes it. */
  async #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#taking.then(step);
    this.#taking = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** Never throws: later edits must still be applied. */
  async #apply(content: FileContent): Promise<void> {
    const { file, environment, supervisor, log, onTaken } = this.options;
    const edit = ++this.#edits;
    this.#taken = content;
    try {
      const fault = this.#faultOf(content);
      const wanted = parseTopology(await this.#textOf(content, fault), file, environment);
      const plan = this.#planOf(wanted, file);
      await supervisor.claim(wanted, plan);
      // Only now: until here the edit may be refused, and then nothing is restarted.
      if (!isEmpty(plan)) log.info(`the configuration has changed: ${sentenceOf(plan)}`);
      const rollout = supervisor.apply(wanted);
      onTaken(wanted);
      const { appliedAtMs } = this.#state;
      this.#state = { file, appliedAtMs };
      void this.#follow(edit, rollout);
      if (fault !== undefined) this.#refuse(fault);
    } catch (error) {
      this.#refuse(error as Error);
    }
  }

  /**
   * The text to run with: in a fleet, with its cameras. A file that cannot be used does not block the fleet's edits.
   * @throws ConfigurationError
   */
  async #textOf(content: FileContent, fault: ConfigurationError | undefined): Promise<string> {
    const { file, fleet } = this.options;
    if ('text' in content && fault === undefined) this.#usable = content.text;
    else if (fleet?.isSettled !== true) throw fault ?? new Error('cannot be read');
    if (fleet === undefined) return this.#usable;
    const check = (text: string, subject: string) => {
      const found = this.#faultOf({ text }, subject);
      if (found !== undefined) throw found;
    };
    const text = await fleet.settle(this.#usable, check, fault === undefined);
    const now = await readContent(file);
    // Written while settling; a change made by others is a separate edit.
    if ('text' in now && now.text === text) this.#taken = now;
    this.#usable = text;
    return text;
  }

  /** Why the daemon cannot run with the content. */
  #faultOf(content: FileContent, subject = this.options.file): ConfigurationError | undefined {
    const { file, environment } = this.options;
    try {
      if ('error' in content) return new ConfigurationError(file, [unreadable(content.error)]);
      this.#planOf(parseTopology(content.text, file, environment), file);
      return undefined;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return new ConfigurationError(subject, error.faults, error.refusal, { cause: error });
    }
  }

  async #follow(edit: number, rollout: Promise<void>): Promise<void> {
    try {
      await rollout;
      if (edit === this.#edits) this.#state = { ...this.#state, appliedAtMs: Date.now() };
    } catch (error) {
      const problem = `was applied only in part: ${(error as Error).message}; ${AGAIN}`;
      this.#state = { ...this.#state, refusal: 'not-applied', faults: [{ path: '$', problem }] };
      this.options.log.error(`${this.options.file} ${problem}`, { code: 'configuration-not-applied' });
    }
  }

  #refuse(error: Error): void {
    const { file, log } = this.options;
    const refused = error instanceof ConfigurationError ? error : notApplied(file, error);
    const { refusal, faults, message, code } = refused;
    const { refused: _, ...state } = this.#state;
    const other = refused.file === file ? {} : { refused: refused.file };
    this.#state = { ...state, refusal, faults, ...other };
    log.error(message, { code });
  }

  #planOf(wanted: Topology, file: string): Plan {
    const { plan, refused } = this.options.supervisor.plan(wanted);
    const faults = [...refused, ...this.options.missing(wanted).map(missingFault)];
    if (faults.length > 0) throw new ConfigurationError(file, faults, 'not-applied');
    return plan;
  }
}

/** The machine prevented the edit, for example because its disk is full. */
function notApplied(file: string, cause: Error): ConfigurationError {
  const problem = `could not be applied: ${cause.message}; ${AGAIN}`;
  return new ConfigurationError(file, [{ path: '$', problem }], 'not-applied', { cause });
}

function missingFault({ program, why }: MissingProgram): ConfigFault {
  return {
    path: program === 'ffmpeg' ? '$.ffmpeg' : '$',
    problem: `needs ${program} (${why}), which is missing on this machine`,
  };
}
