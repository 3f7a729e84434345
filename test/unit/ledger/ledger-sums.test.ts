/** The central property of the ledger: its sums are the elapsed time, and each frame has its true fate. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LedgerFiles, readLedger } from '../../../src/ledger/files';
import { Ledger, type Moment } from '../../../src/ledger/ledger';
import { summarize, type Coverage } from '../../../src/ledger/summary';
import { type Random, rounds, seededRandom } from '../../../lab/random';

const START = 1_795_381_133_000;
const TURN_MS = 500;
const TURNS = rounds(8000);
const PERIODS_MS: Readonly<Record<string, number>> = { a: 1000, b: 500, c: 3000 };
const CAMERAS = Object.keys(PERIODS_MS);

interface SpooledFrame {
  readonly camera: string;
  readonly sequence: number;
  readonly capturedAt: number;
}

interface Faults {
  /** Whether kills come between two flushes, and what was not written is lost. */
  readonly unflushed: boolean;
  readonly clockSteps: boolean;
}

/** Cameras, spool, servers and a daemon, each of which may fail at any turn; and what really happened. */
class World {
  wallMs = START;
  elapsedMs = 0;
  kills = 0;
  steps = 0;
  readonly confirmed = new Set<SpooledFrame>();
  readonly dropped = new Set<SpooledFrame>();
  readonly #spool: SpooledFrame[] = [];
  readonly #newest = new Map<string, number>();
  readonly #dead = new Set<string>();
  #serversUp = true;
  #ledger = new Ledger([], () => undefined);

  private constructor(
    private readonly dir: string,
    private readonly random: Random,
    private readonly faults: Faults,
    private files: LedgerFiles,
  ) {}

  static async run(dir: string, random: Random, faults: Faults): Promise<World> {
    const world = new World(dir, random, faults, await openFiles(dir, START));
    world.#watch();
    for (let turn = 0; turn < TURNS; turn++) await world.#turn(turn);
    await world.#end();
    return world;
  }

  async #turn(turn: number): Promise<void> {
    this.#pass(TURN_MS);
    this.#capture();
    if (this.#happens(0.01)) this.#drop();
    if (this.#happens(0.003)) this.#serversUp = !this.#serversUp;
    if (this.#serversUp) this.#deliver(6);
    if (turn % 2 === 0) await this.#tick();
    if (this.faults.clockSteps && this.#happens(0.0005)) await this.#setClock();
    if (this.#happens(0.002)) await this.#killDaemon();
  }

  get #now(): Moment {
    return { wallMs: this.wallMs, elapsedMs: this.elapsedMs };
  }

  #happens(probability: number): boolean {
    return this.random.next() < probability;
  }

  #pass(ms: number): void {
    this.wallMs += ms;
    this.elapsedMs += ms;
  }

  #watch(): void {
    for (const camera of CAMERAS)
      this.#ledger.watch(camera, PERIODS_MS[camera] ?? 0, this.#now, 'daemon-down');
  }

  #capture(): void {
    for (const camera of CAMERAS) {
      if (this.#happens(0.005)) this.#toggle(camera);
      const sequence = Math.floor(this.wallMs / (PERIODS_MS[camera] ?? 0));
      if (this.#dead.has(camera) || sequence <= (this.#newest.get(camera) ?? 0)) continue;
      this.#newest.set(camera, sequence);
      const frame = { camera, sequence, capturedAt: this.wallMs };
      this.#spool.push(frame);
      // The report may get lost with the process that makes it; the frame is in the spool.
      if (!this.#happens(0.002)) this.#ledger.captured(frame, this.#now);
    }
  }

  #toggle(camera: string): void {
    if (!this.#dead.delete(camera)) this.#dead.add(camera);
    const state = this.random.pick(['restarting', 'quarantined', 'connecting'] as const);
    this.#ledger.cameraState({ camera, state, sinceMs: this.wallMs });
  }

  #deliver(most: number): void {
    for (let i = 0; i < most && this.#spool.length > 0; i++) {
      const [frame] = this.#spool.splice(this.random.between(0, this.#spool.length - 1), 1);
      if (frame === undefined) return;
      this.confirmed.add(frame);
      // Delivered at least once, occasionally twice.
      for (let times = this.#happens(0.01) ? 2 : 1; times > 0; times--)
        this.#ledger.delivered(frame, this.#now);
    }
  }

  #drop(): void {
    const frame = this.#spool.shift();
    if (frame === undefined) return;
    this.dropped.add(frame);
    this.#ledger.dropped(frame, 'spool-bytes', this.#now);
  }

  async #tick(): Promise<void> {
    this.#ledger.tick(this.#now);
    for (const gap of this.#ledger.takeGaps()) this.#ledger.told(gap);
    await this.#flush();
  }

  async #flush(): Promise<void> {
    await this.files.write(this.wallMs, this.#ledger.takeChanges(), []);
  }

  /** The change is written at once: a daemon killed before that has no other clock to rely on at its next start. */
  async #setClock(): Promise<void> {
    this.wallMs += this.random.pick([3_600_000, -3_600_000]);
    this.steps++;
    this.#newest.clear();
    await this.#tick();
  }

  async #killDaemon(): Promise<void> {
    this.kills++;
    if (!this.faults.unflushed) await this.#flush();
    await this.files.close();
    this.#pass(TURN_MS * this.random.between(1, 60));
    this.#ledger = new Ledger((await readLedger(this.dir, 0)).toAccounts(), () => undefined);
    this.files = await openFiles(this.dir, this.wallMs);
    this.#watch();
    this.#ledger.reconcile(this.#ledger.waiting(), this.#spool, this.#now);
  }

  async #end(): Promise<void> {
    this.#deliver(Infinity);
    for (let i = 0; i < 10; i++) {
      this.#pass(1000);
      await this.#tick();
    }
    await this.files.close();
  }
}

async function openFiles(dir: string, wallMs: number): Promise<LedgerFiles> {
  return LedgerFiles.open(dir, { keepHours: 1000, maxBytes: 67_108_864 }, wallMs);
}

async function simulate(
  t: TestContext,
  faults: Faults,
): Promise<{ world: World; cameras: readonly Coverage[] }> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-ledger-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const world = await World.run(dir, seededRandom(t), faults);
  const { cameras } = summarize(await readLedger(dir, 0), 0);
  t.diagnostic(
    JSON.stringify({ kills: world.kills, clockSteps: world.steps, confirmed: world.confirmed.size }),
  );
  assert.deepEqual(
    cameras.map(({ camera }) => camera),
    CAMERAS,
  );
  for (const of of cameras)
    assert.equal(of.periods, of.confirmed + of.waiting + sum(of.dropped) + sum(of.gap));
  return { world, cameras };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function countOf(frames: ReadonlySet<SpooledFrame>, camera: string): number {
  return [...frames].filter((frame) => frame.camera === camera).length;
}

describe('the sums of the ledger', () => {
  it('are exact through outages, crashes, lost reports, drops and daemons killed', async (t) => {
    const { world, cameras } = await simulate(t, { unflushed: false, clockSteps: false });
    for (const { camera, periods, confirmed, waiting, dropped } of cameras) {
      const periodMs = PERIODS_MS[camera] ?? 0;
      const first = Math.floor(START / periodMs);
      // The newest periods are judged three seconds after their end, and later by the lag of the camera.
      const judged = Math.floor((world.wallMs - 3000) / periodMs) - first;
      assert.ok(periods <= judged && periods >= judged - 2, `${camera}: ${periods} of ${judged}`);
      assert.equal(confirmed, countOf(world.confirmed, camera));
      assert.equal(sum(dropped), countOf(world.dropped, camera));
      assert.equal(waiting, 0);
    }
  });

  it('hold when clocks are set and unflushed data is lost, except for the seconds in which that happens', async (t) => {
    const { world, cameras } = await simulate(t, { unflushed: true, clockSteps: true });
    for (const { camera, periods, confirmed } of cameras) {
      const periodMs = PERIODS_MS[camera] ?? 0;
      const off = Math.abs(world.elapsedMs / periodMs - periods);
      assert.ok(off <= 3000 / periodMs + 2 + world.steps, `${camera}: off by ${off}`);
      const lost = Math.abs(countOf(world.confirmed, camera) - confirmed);
      // A second between flushes, in which six frames of the backlog may have been delivered twice over.
      assert.ok(lost <= 12 * world.kills + world.steps, `${camera}: ${lost} not as they were`);
    }
  });
});
