/**
 * `npm run bench -- web [--parts viewers,scrape] [--cameras N] [--rate R] [--seconds N]`: what viewers of the page cost a running daemon, and what a
 * scrape of /metrics costs at 500 cameras, which are simulated behind a real control socket.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { startDaemon, type Daemon } from '../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../lab/events';
import { smallVideo } from '../lab/feeds/small-video';
import { freePort } from '../lab/free-port';
import { percentile } from '../lab/percentile';
import { waitUntil } from '../lab/process';
import { served } from '../lab/served';
import { Viewer } from '../lab/viewer';
import { cpuSeconds } from './process-cost';
import { runBench } from './run';
import { scrapes } from './scrapes';

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'viewers,scrape' },
    cameras: { type: 'string', default: '40' },
    rate: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '15' },
  },
});
const VIEWERS = [0, 1, 20];
const SETTLE_MS = 3000;
/** Longer than a run: at the end of a file every decoder is replaced, which must not be measured. */
const VIDEO_S = 900;
const START_MS_PER_CAMERA = 3000;
/** If no frame has arrived late for this long, those that waited during the start of all cameras are delivered. */
const ON_TIME_MS = 5000;
/** Scrapes of 500 cameras: one every 15 s. */
const SCRAPED_CAMERAS = 500;
const SCRAPE_EVERY_S = 15;
const GOAL = { ms: 100, bytes: 1_000_000, share: 0.01 };

interface Measured {
  readonly viewers: number;
  readonly daemon: number;
  readonly web: number;
  readonly p95Ms: number;
  readonly pictures: number;
}

async function withViewers(viewers: number, daemon: Daemon, events: Listener): Promise<Measured> {
  const url = await served(daemon);
  const watching = Array.from({ length: viewers }, () => Viewer.open(url));
  try {
    await delay(SETTLE_MS);
    const web = await daemon.actorPid('web');
    const cpu = () => [daemon.pid, web].map((pid) => cpuSeconds([pid])) as [number, number];
    const pictures = () => watching.reduce((sum, viewer) => sum + viewer.pictures, 0);
    const [before, shown, from, startedAt] = [cpu(), pictures(), events.received.length, performance.now()];
    await delay(Number(values.seconds) * 1000);
    const tookS = (performance.now() - startedAt) / 1000;
    const after = cpu();
    const ages = events.received
      .slice(from)
      .flatMap(({ event, receivedAt }) =>
        event.type === 'vigil.frame.sampled.v1' ? [receivedAt - event.data.capturedAt] : [],
      );
    return {
      viewers,
      daemon: (after[0] - before[0]) / tookS,
      web: (after[1] - before[1]) / tookS,
      p95Ms: percentile(ages, 0.95),
      pictures: (pictures() - shown) / tookS,
    };
  } finally {
    for (const viewer of watching) viewer.close();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

async function viewersTable(): Promise<string> {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-web-bench-'));
  const [namespace, file] = [newNamespace(), await smallVideo(dir, VIDEO_S)];
  const ids = Array.from({ length: Number(values.cameras) }, (_, i) => `cam${i}`);
  const events = await listen(namespace);
  const http = { port: await freePort(60_000) };
  const cameras = ids.map((id) => ({ id, file, width: 160, rate: Number(values.rate) }));
  const daemon = startDaemon({ config: { namespace, ...remoteServers(), http, cameras } });
  try {
    const delivers = (id: string) => events.frames(id).length > 2;
    await waitUntil('all cameras deliver', () => ids.every(delivers), ids.length * START_MS_PER_CAMERA);
    const isLate = ({ event, receivedAt }: Listener['received'][number]) =>
      event.type === 'vigil.frame.sampled.v1' && event.data.delayed && Date.now() - receivedAt < ON_TIME_MS;
    await waitUntil(
      'frames come in time',
      () => !events.received.some(isLate),
      ids.length * START_MS_PER_CAMERA,
    );
    const rows: string[] = [];
    for (const viewers of VIEWERS) {
      const { daemon: own, web, p95Ms, pictures } = await withViewers(viewers, daemon, events);
      rows.push(`| ${viewers} | ${percent(own)} | ${percent(web)} | ${p95Ms} ms | ${pictures.toFixed(0)} |`);
    }
    return [
      `${ids.length} cameras, pictures a second: ${values.rate} each; shares of a core`,
      '| viewers | daemon | web actor | capture to message, p95 | pictures a second |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  } finally {
    await daemon.stop();
    await events.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The machine's load: if others use it too, the times mean little. */
function loadLine(): string {
  return `load of the machine: ${(loadavg()[0] ?? NaN).toFixed(1)} on ${availableParallelism()} cores\n`;
}

runBench('web', async () => {
  process.stdout.write(loadLine());
  const parts = values.parts.split(',');
  if (parts.includes('viewers')) process.stdout.write(`${await viewersTable()}\n`);
  if (!parts.includes('scrape')) return true;
  const { ms, bytes, cpuS } = await scrapes(SCRAPED_CAMERAS);
  const share = cpuS / SCRAPE_EVERY_S;
  process.stdout.write(
    `scrape of ${SCRAPED_CAMERAS} cameras: ${ms.toFixed(0)} ms (goal ${GOAL.ms}), ${Math.round(bytes / 1000)} kB (goal ${GOAL.bytes / 1000}), ` +
      `every ${SCRAPE_EVERY_S} s ${(100 * share).toFixed(2)} % of a core with the daemon's answers (goal ${100 * GOAL.share} %)\n`,
  );
  return ms <= GOAL.ms && bytes <= GOAL.bytes && share <= GOAL.share;
});
