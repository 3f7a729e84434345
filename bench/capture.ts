/** What sampling costs: Vigil beside the origin's loop and two ffmpegs, on the same feeds, in the same run. README.md. */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDaemon } from '../lab/daemon';
import { listen, newNamespace, type Listener } from '../lab/events';
import { startHttpCamera } from '../lab/feeds/http-camera';
import { startRtspServer, type RtspServer } from '../lab/feeds/rtsp';
import { spawnOwned } from '../lab/process';
import { encodedUnits } from '../lab/encoded-units';
import { benchClip, CASES } from './clips';
import { commandOf, cpuSeconds, privateBytes, tree } from './process-cost';
import { ffmpegVersion, runBench } from './run';

/** Starting up is not measured; the origin's loop takes some seconds to open a feed. */
const WARM_UP_MS = 12_000;
const WARM_UP_MS_PER_CAMERA = 400;
const VIGIL = {
  vigil: {},
  'vigil-keyframe': { format: 'keyframe' },
  'vigil-all': { sampling: 'all' },
} as const;
/** Requests one JPEG of the same size in each period. */
const STILL = 'still';
const RIVALS = ['origin', 'fps', 'receive'] as const;
const WAYS = [...Object.keys(VIGIL), STILL, ...RIVALS];

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: Object.keys(CASES).join(',') },
    cameras: { type: 'string', default: '4' },
    ways: { type: 'string', default: ['vigil', 'vigil-keyframe', ...RIVALS].join(',') },
    seconds: { type: 'string', default: '60' },
    ffmpeg: { type: 'string' },
  },
});
const SECONDS = Number(values.seconds);

interface Cost {
  readonly case: string;
  readonly way: string;
  readonly cameras: number;
  /** Processor seconds per camera and minute, all processes. */
  readonly cpu: number;
  /** The part of that used by each camera's own processes; the rest is shared by all. */
  readonly ownCpu: number;
  /** Private memory of what each camera needs for itself. */
  readonly privateMb: number;
  readonly latencyMs?: { readonly p50: number; readonly p95: number };
  /** Share of periods that had a frame. */
  readonly coverage?: number;
}

interface Running {
  readonly pid: number;
  /** Processes that exist once per camera. */
  perCamera(): number[];
  readonly events?: Listener;
  end(): Promise<unknown>;
}

async function measure(run: Running, cameras: number): Promise<Omit<Cost, 'case' | 'way' | 'cameras'>> {
  await wait(WARM_UP_MS + WARM_UP_MS_PER_CAMERA * cameras);
  const pids = tree(run.pid);
  const own = run.perCamera();
  const [before, ownBefore, from] = [cpuSeconds(pids), cpuSeconds(own), Date.now()];
  await wait(SECONDS * 1000);
  const [after, ownAfter, to] = [cpuSeconds(pids), cpuSeconds(own), Date.now()];
  const minutes = (to - from) / 60_000;
  const memory = privateBytes(run.perCamera()) / cameras / 2 ** 20;
  await wait(2000);
  return {
    cpu: (after - before) / minutes / cameras,
    ownCpu: (ownAfter - ownBefore) / minutes / cameras,
    privateMb: memory,
    ...delivered(run.events, from, to, cameras),
  };
}

/** Latency from capture time to the message a consumer received, and coverage, of frames captured between two times. */
function delivered(events: Listener | undefined, from: number, to: number, cameras: number): Partial<Cost> {
  if (events === undefined) return {};
  const frames = events.received.flatMap(({ event, receivedAt }) =>
    event.type === 'vigil.frame.sampled.v1' && event.data.capturedAt >= from && event.data.capturedAt < to
      ? [{ ...event.data, latency: receivedAt - event.data.capturedAt }]
      : [],
  );
  const distinct = new Set(frames.map(({ camera, sequence }) => `${camera} ${sequence}`)).size;
  const latencies = frames.map(({ latency }) => latency).sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.floor(part * latencies.length)] ?? NaN;
  return {
    coverage: distinct / (Math.round((to - from) / 1000) * cameras),
    latencyMs: { p50: at(0.5), p95: at(0.95) },
  };
}

async function startVigil(feed: object, cameras: number, settings: object): Promise<Running> {
  const [redis = '', amqp = ''] = [process.env['VIGIL_TEST_REDIS_URL'], process.env['VIGIL_TEST_AMQP_URL']];
  const namespace = newNamespace();
  const events = await listen(namespace, amqp);
  const daemon = startDaemon({
    config: {
      namespace,
      redis,
      rabbitmq: amqp,
      frames: { expireMs: 10_000 },
      ...(values.ffmpeg === undefined ? {} : { ffmpeg: values.ffmpeg }),
      cameraDefaults: settings,
      cameras: Array.from({ length: cameras }, (_, i) => ({ id: `cam${i}`, ...feed })),
    },
  });
  await daemon.said(/^ready/);
  return {
    pid: daemon.pid,
    events,
    perCamera: () => tree(daemon.pid).filter((pid) => /camera:|ffmpeg/.test(commandOf(pid))),
    end: async () => {
      await daemon.stop();
      await events.close();
    },
  };
}

async function startRival(way: string, feed: string): Promise<Running> {
  const [redis = '', amqp = ''] = [process.env['VIGIL_TEST_REDIS_URL'], process.env['VIGIL_TEST_AMQP_URL']];
  const input = ['-nostdin', '-v', 'error', '-rtsp_transport', 'tcp', '-i', feed, '-map', '0:v:0'];
  const program =
    way === 'origin'
      ? await spawnOwned('/usr/bin/python3', [path.join(__dirname, 'origin_loop.py'), feed, redis, amqp])
      : way === 'fps'
        ? await spawnOwned('ffmpeg', [
            ...input,
            '-vf',
            'fps=1',
            '-q:v',
            '6',
            '-f',
            'image2',
            '-update',
            '1',
            '-y',
            '/dev/null',
          ])
        : await spawnOwned('ffmpeg', [...input, '-c', 'copy', '-f', 'null', '-']);
  program.stdout.resume();
  return {
    pid: program.pid,
    perCamera: () => tree(program.pid),
    end: () => {
      const exit = program.exit();
      if (exit !== undefined) throw new Error(`${way} ended unasked: ${program.stderr()}`);
      return program.end();
    },
  };
}

async function cost(name: string, way: string, cameras: number, server: RtspServer): Promise<Cost> {
  const feed = server.url(`/${name}`);
  if (way === STILL) return stillCost(name, cameras);
  const settings = (VIGIL as Readonly<Record<string, object>>)[way];
  const run =
    settings === undefined ? await startRival(way, feed) : await startVigil({ url: feed }, cameras, settings);
  try {
    return { case: name, way, cameras, ...(await measure(run, cameras)) };
  } finally {
    await run.end();
  }
}

/** Pictures of 1080p, a different one each time. */
async function stillCost(name: string, cameras: number): Promise<Cost> {
  const pictures = await encodedUnits({
    source: 'testsrc2=size=1920x1080:rate=1',
    seconds: 10,
    codec: 'mjpeg',
  });
  const server = await startHttpCamera((_, response, number) => {
    const bytes = pictures[number % pictures.length] ?? Buffer.alloc(0);
    response
      .writeHead(200, { 'content-type': 'image/jpeg', 'content-length': String(bytes.length) })
      .end(bytes);
  });
  const run = await startVigil({ still: server.url('/snap.jpg') }, cameras, {});
  try {
    return { case: name, way: STILL, cameras, ...(await measure(run, cameras)) };
  } finally {
    await run.end();
    await server.stop();
  }
}

function row(
  { case: name, way, cameras, cpu, ownCpu, privateMb, latencyMs, coverage }: Cost,
  origin: number | undefined,
): string {
  const cells = [
    name.padEnd(6),
    way.padEnd(14),
    String(cameras).padStart(3),
    cpu.toFixed(2).padStart(8),
    ownCpu.toFixed(2).padStart(5),
    (origin === undefined ? '' : (cpu / origin).toFixed(3)).padStart(8),
    privateMb.toFixed(0).padStart(8),
    (latencyMs === undefined ? '' : `${latencyMs.p50} / ${latencyMs.p95}`).padStart(12),
    (coverage === undefined ? '' : `${(100 * coverage).toFixed(2)} %`).padStart(10),
  ];
  return cells.join(' ');
}

async function main(): Promise<void> {
  const names = values.cases.split(',');
  const ways = values.ways.split(',');
  const unknown = ways.find((way) => !WAYS.includes(way));
  if (unknown !== undefined) throw new Error(`no way ${unknown}; there are ${WAYS.join(', ')}`);
  const mounts: Record<string, { clip: string; codec: 'h264' | 'h265' | 'mjpeg'; fps: number }> = {};
  for (const name of names) {
    const clip = await benchClip(name);
    const { codec = 'h264', fps = 25 } = CASES[name] ?? {};
    mounts[`/${name}`] = { clip, codec, fps };
  }
  const server = await startRtspServer({ mounts });
  console.log(
    `ffmpeg ${ffmpegVersion(values.ffmpeg)} for Vigil, ${ffmpegVersion('ffmpeg')} for fps and receive`,
  );
  console.log('case   way            cams CPU-s/min   own  of orig  priv MB   p50/p95 ms   coverage');
  try {
    for (const name of names) {
      let origin: number | undefined;
      // The origin's loop first: the others are compared with it.
      for (const way of [...ways].sort((a, b) => Number(b === 'origin') - Number(a === 'origin')))
        for (const cameras of way in VIGIL || way === STILL ? values.cameras.split(',').map(Number) : [1]) {
          const measured = await cost(name, way, cameras, server);
          if (way === 'origin') origin = measured.cpu;
          console.log(row(measured, origin));
        }
    }
  } finally {
    await server.stop();
  }
}

runBench('capture', main);
