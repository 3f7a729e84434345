/** Random faults in random processes of a daemon's tree, and what must be true of the machine afterwards. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf, type Random } from '../random';
import { signalIfThere, waitUntil } from '../process';
import { below, processTable, type ProcessRow } from '../process-table';
import { carryOut, drawStrike, drawPauseMs } from './strike';
import { FrameWatch } from './frame-watch';
import { ServiceManager, type DaemonEnd } from './service-manager';
import { TreeWatch } from './tree-watch';

const LOOK_MS = 500;
/** Back-off of a camera or the store reaches 30 s, a broker may need as long to start and its predecessor to leave. */
const CALM_MS = 150_000;
const STOP_MS = 20_000;

/** For actors.json: under repeated faults, what waits is tried again while the soak lasts, also out of quarantine. */
export const TRIED_SOON = {
  camera: { backOffCapMs: 3000, probeMs: 5000 },
  store: { backOffCapMs: 3000 },
  notifier: { backOffCapMs: 3000 },
};

export interface SoakOptions {
  readonly seed: number;
  /** The soak ends after this many faults, or this many minutes. */
  readonly kills: number;
  readonly minutes: number;
  /** After this many faults it waits until the frames of all cameras flow. */
  readonly calmEvery: number;
  /** Content of actors.json; every camera in it has to deliver. */
  readonly config: Readonly<Record<string, unknown>> & {
    readonly namespace: string;
    readonly cameras: readonly { readonly id: string }[];
  };
  readonly say: (line: string) => void;
}

/** Resolves with all that was wrong, in sentences; empty when nothing was. */
export async function soak(options: SoakOptions): Promise<string[]> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-soak-'));
  const run = new Soak(options, dir);
  const faults = await run.all();
  if (faults.length === 0) rmSync(dir, { recursive: true, force: true });
  else options.say(`log and data are kept in ${dir}`);
  return faults;
}

class Soak {
  readonly #random: Random;
  readonly #manager: ServiceManager;
  readonly #frames: FrameWatch;
  readonly #watch = new TreeWatch();
  readonly #faults: string[] = [];
  /** Daemons that were themselves targets of a fault: how they end proves nothing. */
  readonly #struck = new Set<number>();
  #strikes = 0;
  #judged = 0;

  constructor(
    private readonly options: SoakOptions,
    private readonly dir: string,
  ) {
    writeFileSync(path.join(dir, 'actors.json'), JSON.stringify(options.config));
    this.#random = randomOf(options.seed);
    this.#manager = new ServiceManager(dir);
    this.#frames = new FrameWatch(this.#dataDir, options.config.namespace);
  }

  get #dataDir(): string {
    return path.join(this.dir, 'data');
  }

  async all(): Promise<string[]> {
    this.#manager.start();
    const looking = setInterval(() => this.#look(), LOOK_MS);
    try {
      await this.#strikeAll();
      await this.#calm('after the last strike');
      await this.#stop();
      await this.#startOnceMore();
    } catch (error) {
      this.#faults.push((error as Error).message);
    } finally {
      clearInterval(looking);
      await this.#frames.close();
      await this.#manager.stop(STOP_MS).catch((error: unknown) => this.#faults.push(String(error)));
      this.#killLeftovers();
    }
    return this.#faults;
  }

  async #strikeAll(): Promise<void> {
    const { kills, minutes, calmEvery } = this.options;
    const endMs = Date.now() + minutes * 60_000;
    const underWay: Promise<void>[] = [];
    while (this.#strikes < kills && Date.now() < endMs) {
      await sleep(drawPauseMs(this.#random));
      const victim = this.#victim();
      if (victim === undefined) continue;
      underWay.push(this.#strike(victim));
      this.#strikes++;
      if (this.#strikes % calmEvery !== 0) continue;
      await Promise.all(underWay.splice(0));
      await this.#calm(`after ${this.#strikes} strikes`);
    }
    await Promise.all(underWay);
  }

  #victim(): ProcessRow | undefined {
    const { pid } = this.#manager;
    if (pid === undefined) return undefined;
    const table = processTable();
    const daemon = table.filter((row) => row.pid === pid);
    const living = [...daemon, ...below(table, pid)].filter(({ state }) => state !== 'Z');
    return living.length === 0 ? undefined : this.#random.pick(living);
  }

  async #strike(victim: ProcessRow): Promise<void> {
    const strike = drawStrike(this.#random);
    if (victim.pid === this.#manager.pid) this.#struck.add(victim.pid);
    const signal = (name: NodeJS.Signals) => {
      const now = processTable().find(({ pid }) => pid === victim.pid);
      if (now?.startTicks === victim.startTicks) signalIfThere(victim.pid, name);
    };
    await carryOut(strike, signal, (ms) => sleep(ms));
  }

  #look(): void {
    for (const { what, row } of this.#watch.look(processTable(this.dir), this.#manager.pid, Date.now())) {
      this.#fault(`${what}: pid ${row.pid}, child of ${row.parent}: ${row.command}`);
      if (what === 'orphan') signalIfThere(row.pid, 'SIGKILL');
    }
    for (const end of this.#manager.ends.slice(this.#judged)) this.#judge(end);
    this.#judged = this.#manager.ends.length;
  }

  #judge({ pid, code, signal }: DaemonEnd): void {
    // 70: what it cannot do without failed too often, and it says so and leaves.
    if (this.#struck.has(pid) || code === 70) return;
    this.#fault(`the daemon (pid ${pid}) ended unasked: code ${String(code)}, ${String(signal)}`);
  }

  #fault(sentence: string): void {
    this.#faults.push(sentence);
    this.options.say(`FAULT after ${this.#strikes} strikes: ${sentence}`);
  }

  /** Nobody is struck until every camera has delivered a frame that was captured in this calm. */
  async #calm(when: string): Promise<void> {
    const since = Date.now();
    const ids = this.options.config.cameras.map(({ id }) => id);
    const silent = () => ids.filter((id) => (this.#frames.newest.get(id) ?? 0) < since);
    await waitUntil('frames', () => silent().length === 0, CALM_MS).catch(() =>
      this.#fault(`${when}: no frame of ${silent().join(', ')} within ${CALM_MS} ms`),
    );
    const ends = this.#manager.ends;
    const escalated = ends.filter(({ code }) => code === 70).length;
    this.options.say(
      `${when}: all frames flow after ${Date.now() - since} ms; the daemon ended ${ends.length} times, ${escalated} by escalation`,
    );
  }

  async #stop(): Promise<void> {
    const { pid } = this.#manager;
    if (pid !== undefined) this.#struck.add(pid);
    const end = await this.#manager.stop(STOP_MS);
    if (end?.code !== 0) this.#fault(`the daemon's stop ended with code ${String(end?.code)}`);
    const left = () => processTable(this.dir).filter(({ marked }) => marked);
    await waitUntil('processes gone', () => left().length === 0, 2000).catch(() => {
      for (const row of left()) this.#fault(`left after the stop: pid ${row.pid}: ${row.command}`);
    });
  }

  /** What the faults left behind must not hinder the next daemon, and is gone once it has run. */
  async #startOnceMore(): Promise<void> {
    this.#manager.start();
    await this.#calm('started once more');
    await this.#stop();
    const names = readdirSync(this.#dataDir, { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((file) => file.endsWith('.tmp') || file.endsWith('.sock')))
      this.#fault(`left in the data directory: ${name}`);
  }

  #killLeftovers(): void {
    for (const { pid, marked } of processTable(this.dir)) if (marked) signalIfThere(pid, 'SIGKILL');
  }
}
