/**
 * Time from a SIGKILL to the next frame that a RabbitMQ consumer sees: of a camera actor, of store, of notifier, and
 * of the daemon under PM2 until all cameras have delivered. Every kill is a first crash: each daemon loses store and
 * notifier once and no camera twice, then it is restarted.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { listen, newNamespace, remoteServers, type Listener, type Received } from '../lab/events';
import { clip } from '../lab/feeds/clips';
import { keepFeeds } from '../lab/feeds/keep-feeds';
import { startRtspServer } from '../lab/feeds/rtsp';
import { percentile } from '../lab/percentile';
import { Pm2 } from '../lab/pm2';
import { isAlive, waitUntil } from '../lab/process';
import { below, processTable } from '../lab/process-table';
import { ffmpegVersion, runBench } from './run';
import { startsTable } from './starts';

const TARGETS = ['camera', 'store', 'notifier', 'daemon'] as const;
type Target = (typeof TARGETS)[number];
/** p95 in milliseconds. */
const GOALS: Readonly<Record<Target, number>> = { camera: 3000, store: 2000, notifier: 2000, daemon: 8000 };
const DEADLINE_MS = 60_000;
/** PM2 checks every second, and considers a daemon sound after 2 s: each kill gets its first restart delay. */
const PM2_FORGETS = { PM2_WORKER_INTERVAL: '1000', EXP_BACKOFF_RESET_TIMER: '2000' };

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    only: { type: 'string', default: `${TARGETS.join(',')},starts` },
    cameras: { type: 'string', default: '16' },
    starts: { type: 'string', default: '16,100' },
    ffmpeg: { type: 'string' },
  },
});
const KILLS = Number(values.kills);
const ONLY = TARGETS.filter((target) => values.only.split(',').includes(target));
const CAMERAS = Array.from({ length: Number(values.cameras) }, (_, i) => `cam${i}`);

class Bench {
  readonly times = new Map<Target, number[]>(ONLY.map((target) => [target, []]));

  constructor(
    private readonly pm2: Pm2,
    private readonly events: Listener,
  ) {}

  async run(): Promise<void> {
    await this.#confirmed(CAMERAS, Date.now());
    while ([...this.times.values()].some((times) => times.length < KILLS)) {
      await this.#round();
      process.stderr.write(`${JSON.stringify(Object.fromEntries(this.times))}\n`);
    }
  }

  /** One life of a daemon. */
  async #round(): Promise<void> {
    for (const camera of this.#victims('camera', this.#camerasPerLife()))
      await this.#measure('camera', `camera:${camera}`, [camera]);
    for (const target of ['store', 'notifier'] as const)
      if (this.#victims(target, 1).length > 0) await this.#measure(target, target);
    await this.#measureDaemon();
  }

  /** If only cameras are measured, each is killed once per life; otherwise only one is. */
  #camerasPerLife(): number {
    return ONLY.length === 1 ? CAMERAS.length : 1;
  }

  #victims(target: Target, atMost: number): string[] {
    const done = this.times.get(target)?.length ?? KILLS;
    const names = Array.from({ length: atMost }, (_, i) => CAMERAS[(done + i) % CAMERAS.length] ?? '');
    return names.slice(0, Math.max(0, KILLS - done));
  }

  /** @param cameras the cameras whose frames are awaited; any by default */
  async #measure(target: Target, actor: string, cameras?: readonly string[]): Promise<void> {
    const pid = this.#actorPid(actor);
    await sleepUntilRandomPhase();
    const killedAt = Date.now();
    process.kill(pid, 'SIGKILL');
    const seenAt = await (cameras === undefined
      ? this.#anyConfirmed(killedAt)
      : this.#confirmed(cameras, killedAt));
    this.times.get(target)?.push(seenAt - killedAt);
    // At the next kill all cameras must be working.
    await this.#confirmed(CAMERAS, seenAt);
  }

  async #measureDaemon(): Promise<void> {
    const pid = this.pm2.daemonPid();
    if (pid === undefined) throw new Error('PM2 runs no daemon');
    await sleepUntilRandomPhase();
    const killedAt = Date.now();
    process.kill(pid, 'SIGKILL');
    const seenAt = await this.#confirmed(CAMERAS, killedAt);
    const times = this.times.get('daemon');
    if (times !== undefined && times.length < KILLS) times.push(seenAt - killedAt);
    await waitUntil('the killed daemon has gone', () => !isAlive(pid));
    await this.#confirmed(CAMERAS, Date.now() + Number(PM2_FORGETS.EXP_BACKOFF_RESET_TIMER));
  }

  #actorPid(name: string): number {
    const daemon = this.pm2.daemonPid() ?? 0;
    const row = below(processTable(), daemon).find(({ command }) =>
      new RegExp(`forked-actor-worker(\\.js)? ${name}( |$)`).test(command),
    );
    if (row === undefined) throw new Error(`no process of ${name} runs below ${daemon}`);
    return row.pid;
  }

  /** When the last of these cameras had a frame confirmed that was captured after `since`. */
  async #confirmed(cameras: readonly string[], since: number): Promise<number> {
    return Math.max(...(await Promise.all(cameras.map((camera) => this.#firstConfirmed(since, camera)))));
  }

  #anyConfirmed(since: number): Promise<number> {
    return this.#firstConfirmed(since);
  }

  async #firstConfirmed(since: number, camera?: string): Promise<number> {
    const { received } = this.events;
    let looked = 0;
    // Each event is examined once: thousands arrive in an hour, and this wait must not disturb the measurement.
    const find = () => {
      while (looked < received.length && !isFrame(received[looked], since, camera)) looked++;
      return received[looked];
    };
    await waitUntil(
      `a frame of ${camera ?? 'any camera'}`,
      () => find() !== undefined,
      DEADLINE_MS + Math.max(0, since - Date.now()),
    );
    return find()?.receivedAt ?? 0;
  }
}

/** @param camera any by default */
function isFrame(received: Received | undefined, since: number, camera?: string): boolean {
  if (received === undefined) return false;
  const { type, subject, data } = received.event;
  return (
    type === 'vigil.frame.sampled.v1' &&
    (camera === undefined || subject === camera) &&
    data.capturedAt > since
  );
}

/** The time from the cameras' keyframes to a kill must vary. */
async function sleepUntilRandomPhase(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 1000));
}

function table(times: ReadonlyMap<Target, readonly number[]>): string {
  const rows = [...times].map(([target, measured]) => {
    const [p50, p95, max] = [0.5, 0.95, 1].map((share) => percentile(measured, share));
    const cells = [measured.length, p50, p95, max, GOALS[target]].map((cell) => String(cell).padStart(8));
    return `${target.padEnd(10)}${cells.join('')}  ${isMet(target, measured) ? 'met' : 'MISSED'}`;
  });
  const ffmpeg = `ffmpeg ${ffmpegVersion(values.ffmpeg)}`;
  return [ffmpeg, 'killed        kills     p50     p95     max    goal', ...rows].join('\n');
}

function isMet(target: Target, measured: readonly number[]): boolean {
  return percentile(measured, 0.95) <= GOALS[target];
}

async function main(): Promise<boolean> {
  if (values.only.split(',').includes('starts'))
    process.stdout.write(`${await startsTable(values.starts.split(',').map(Number))}\n`);
  return ONLY.length === 0 || measureRecovery();
}

async function measureRecovery(): Promise<boolean> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-recovery-'));
  const namespace = newNamespace();
  const feed = { clip: await clip({ keyframeIntervalS: 1 }), codec: 'h264', fps: 10 } as const;
  const server = await startRtspServer({ mounts: Object.fromEntries(CAMERAS.map((id) => [`/${id}`, feed])) });
  const cameras = CAMERAS.map((id) => ({ id, url: server.url(`/${id}`) }));
  const keepers = await keepFeeds(CAMERAS.map((id) => server.url(`/${id}`)));
  const ffmpeg = values.ffmpeg === undefined ? {} : { ffmpeg: values.ffmpeg };
  const config = { namespace, ...remoteServers(), ...ffmpeg, cameras };
  writeFileSync(path.join(dir, 'actors.json'), JSON.stringify(config));
  const events = await listen(namespace);
  const pm2 = await Pm2.start({ dir, env: PM2_FORGETS });
  const bench = new Bench(pm2, events);
  try {
    await bench.run();
    return [...bench.times].every(([target, measured]) => isMet(target, measured));
  } finally {
    process.stdout.write(`${table(bench.times)}\n`);
    await pm2.kill();
    await events.close();
    for (const keeper of keepers) await keeper.end();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

runBench('recovery', main);
