/** What a scrape of /metrics costs: the real server, asked over HTTP, with a control socket that reports simulated cameras. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import { DaemonOperations } from '../src/actors/web/daemon-operations';
import { DaemonSource } from '../src/actors/web/daemon-source';
import { openApp } from '../src/actors/web/http/app';
import { EventStreams } from '../src/actors/web/http/event-streams';
import { OwnNames } from '../src/actors/web/http/own-names';
import { Sessions } from '../src/actors/web/http/sessions';
import { LedgerView } from '../src/actors/web/ledger/ledger-view';
import { Gallery } from '../src/actors/web/pictures/gallery';
import { DaemonView } from '../src/actors/web/view/daemon-view';
import { askDaemon } from '../src/control/client';
import type { DaemonStatus } from '../src/control/protocol';
import { ControlSocket, type Control } from '../src/control/server';
import { LATENCY_BOUNDS_S, type CameraFigures, type Figures } from '../src/supervisor/figures';
import type { ChildStatus, ConfiguredCamera } from '../src/supervisor/status';
import { keptLog } from '../lab/kept-log';
import { percentile } from '../lab/percentile';

const COUNT = 20;
/** Answers of the daemon are cached for a second: with this pause, each scrape asks again. */
const BETWEEN_MS = 1000;

export interface ScrapeCost {
  /** Median. */
  readonly ms: number;
  readonly bytes: number;
  /** Processor seconds of one, the daemon's part and the server's together. */
  readonly cpuS: number;
}

export async function scrapes(cameras: number): Promise<ScrapeCost> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-scrapes-'));
  const log = keptLog();
  const socket = await ControlSocket.open(dir, simulated(cameras), log);
  const asked = <T>(url: string) => askDaemon(dir, url) as Promise<T>;
  const view = new DaemonView(
    { status: () => asked<DaemonStatus>('/status'), cameras: () => asked<ConfiguredCamera[]>('/cameras') },
    'bench',
  );
  const source = new DaemonSource(
    ...([view, new Gallery(dir, () => 'ffmpeg'), new LedgerView(dir), dir] as const),
    () => asked<Figures>('/figures'),
    () => true,
  );
  const app = await openApp({
    ...{ source, operations: new DaemonOperations(dir), events: new EventStreams(() => source.view()) },
    ...{ names: new OwnNames('127.0.0.1', []), sessions: new Sessions(undefined), pageDir: dir },
    ...{ version: 'bench', log },
  });
  try {
    await app.listen({ port: 0, host: '127.0.0.1' });
    return await measured((app.server.address() as AddressInfo).port);
  } finally {
    await app.close();
    await socket.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measured(port: number): Promise<ScrapeCost> {
  const times: number[] = [];
  const cpus: number[] = [];
  let bytes = 0;
  for (let i = 0; i <= COUNT; i++) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    // The first scrape loads the library.
    if (i === 0) continue;
    times.push(performance.now() - startedAt);
    const { user, system } = process.cpuUsage(before);
    cpus.push((user + system) / 1e6);
    bytes = Buffer.byteLength(text);
  }
  return { ms: percentile(times, 0.5), bytes, cpuS: cpus.reduce((sum, each) => sum + each, 0) / COUNT };
}

/** Cameras that have seen some trouble, of every kind of figure. */
function simulated(count: number): Control {
  const ids = Array.from({ length: count }, (_, i) => `camera-of-hall-${i}`);
  const tags = ['north', 'outside'];
  const tally: CameraFigures = {
    ...{ captured: 600_000, confirmed: 599_000 },
    dropped: { 'spool-age': 12, 'spool-bytes': 7 },
    gapMs: { refused: 12_000, stalled: 4000, restarting: 2000 },
  };
  const figures: Figures = {
    cameras: Object.fromEntries(ids.map((id) => [id, tally])),
    latency: { counts: [...LATENCY_BOUNDS_S, Infinity].map(() => 1000), sumMs: 1e6 },
    ends: Object.fromEntries(ids.map((id) => [`camera:${id}`, { crashed: 3, stuck: 1 }])),
  };
  const status = (): DaemonStatus => ({
    ...{ pid: process.pid, startedAtMs: 1, ready: true, problems: [] },
    delivery: { waiting: 0, lastConfirmAtMs: Date.now() },
    configuration: { file: '/srv/actors.json', appliedAtMs: 1 },
    children: ids.map((id) => childOf(id, tags)),
  });
  return {
    status,
    cameras: () => ids.map((id) => ({ id, enabled: true, tags, periodMs: 1000 })),
    figures: () => figures,
  } as unknown as Control;
}

function childOf(id: string, tags: readonly string[]): ChildStatus {
  const nowMs = Date.now();
  return {
    ...({ name: `camera:${id}`, kind: 'camera', state: 'running' } as const),
    ...{ sinceMs: 1, pid: process.pid, restarts: 3, tags },
    feed: { camera: id, state: 'streaming', sinceMs: 1 },
    delivered: {
      ...{ perSecond: 1, lastMinute: 60, lastAtMs: nowMs, capturedAtMs: nowMs },
      ...{ width: 1920, height: 1080, format: 'jpeg' },
    },
    heartbeat: {
      ...{ atMs: nowMs, done: 600_000, memoryBytes: 45e6 },
      facts: { codec: 'h264', sampling: 'between-keyframes', keyframeIntervalMs: 2000, clockSkewMs: 3 },
    },
  };
}
