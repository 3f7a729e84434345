/** A simulated installation, as the HTTP API reports it: cameras with conditions, faults, pictures and a ledger. */
import type {
  ApiCamera,
  ApiFault,
  ApiLedger,
  ApiLedgerBucket,
  ApiCrash,
  ApiQueue,
  ApiState,
  CameraCondition,
} from '../../src/actors/web/view/api';
import { randomOf } from '../random';

const HOUR_MS = 3_600_000;
const PLACES = ['gate', 'yard', 'dock', 'hall', 'roof', 'ramp', 'lobby', 'fence', 'tunnel', 'quay'];
const SIDES = ['north', 'south', 'east', 'west'];

const FAULTS: Readonly<Partial<Record<CameraCondition, readonly ApiFault[]>>> = {
  offline: [
    {
      code: 'refused',
      message: '192.168.7.31:554 refuses connections; check the port, and that the camera has started',
    },
    {
      code: 'unreachable',
      message: '192.168.7.48 cannot be reached: no route to host; check its power and its network cable',
    },
    {
      code: 'unauthorized',
      message: '192.168.7.52 refused the user name or password; check them in the configuration',
    },
    { code: 'stalled', message: '192.168.7.60 sent nothing for 10 s; check the camera and the network' },
  ],
  quarantined: [
    {
      code: 'quarantined',
      message:
        'its process ended 5 times within a minute (ffmpeg crashed on a damaged keyframe); it is tried again every 5 minutes',
    },
  ],
  waiting: [{ code: 'redis', message: 'frames wait in the spool: Redis takes none, its memory is full' }],
};
/** Their pictures are taken; of those that wait they are not delivered. */
const CAPTURING: readonly CameraCondition[] = ['delivering', 'waiting'];
/** How many of each hundred cameras have a rare condition. */
const RARE: readonly (readonly [CameraCondition, number])[] = [
  ['offline', 4],
  ['quarantined', 1],
  ['starting', 1],
  ['waiting', 1],
  ['disabled', 1],
];

/** When a camera gave nothing, and why; without an end while that lasts. */
interface Gap {
  readonly from: number;
  to: number;
  readonly reason: string;
}

export class World {
  readonly cameras = new Map<string, ApiCamera>();
  readonly #gaps = new Map<string, Gap[]>();
  readonly #random = randomOf(7);
  problems: string[] = [];
  redisFault?: ApiFault;
  queue: ApiQueue = { name: 'vigil.detection', messages: 12, limit: 100_000, consumers: 2 };

  constructor(
    count: number,
    readonly startedAt = Date.now() - 3 * 24 * HOUR_MS,
  ) {
    for (let i = 0; i < count; i++) this.#add(i, count);
  }

  idsOf(condition: CameraCondition): string[] {
    return [...this.cameras.values()].filter((camera) => camera.condition === condition).map(({ id }) => id);
  }

  /** Every camera that works has a new picture. @returns their ids */
  takePictures(now = Date.now()): string[] {
    const capturing = [...this.cameras.values()].filter(({ condition }) => CAPTURING.includes(condition));
    for (const camera of capturing)
      this.cameras.set(camera.id, {
        ...camera,
        ...(camera.condition === 'delivering' ? { confirmedAt: now, rate: camera.wantedRate } : {}),
        picture: { capturedAt: now, width: 1920, height: 1080, format: 'jpeg' },
      });
    return capturing.map(({ id }) => id);
  }

  setCondition(id: string, condition: CameraCondition, fault?: ApiFault): void {
    const camera = this.cameras.get(id);
    if (camera === undefined) throw new Error(`no camera ${id}`);
    const now = Date.now();
    const { fault: _before, ...others } = camera;
    const because = fault ?? FAULTS[condition]?.[0];
    const faulty = because === undefined ? others : { ...others, fault: because };
    this.cameras.set(id, {
      ...faulty,
      condition,
      since: now,
      rate: condition === 'delivering' ? camera.wantedRate : 0,
    });
    const gaps = this.#gaps.get(id) ?? [];
    const open = gaps.find(({ to }) => to === Infinity);
    if (open !== undefined) open.to = now;
    if (condition !== 'delivering')
      gaps.push({ from: now, to: Infinity, reason: because?.code ?? condition });
  }

  /** A camera that gives pictures from now on; one that is there stays as it is. */
  add(id: string): void {
    if (this.cameras.has(id)) return;
    const condition = 'delivering';
    this.cameras.set(id, { id, tags: [], condition, since: Date.now(), rate: 0, wantedRate: 1, restarts: 0 });
  }

  state(): ApiState {
    const cameras = { delivering: 0, starting: 0, waiting: 0, offline: 0, quarantined: 0, disabled: 0 };
    for (const { condition } of this.cameras.values()) cameras[condition]++;
    return {
      ...{
        version: '0.1.0',
        startedAt: this.startedAt,
        ready: this.problems.length === 0,
        problems: this.problems,
      },
      cameras,
      spool: {
        waiting: cameras.waiting * 240,
        bytes: cameras.waiting * 240 * 84_000,
        oldestAgeMs: cameras.waiting * 240_000,
      },
      redis: this.redisFault === undefined ? { ready: true } : { ready: false, fault: this.redisFault },
      rabbitmq: { ready: true },
      queue: this.queue,
    };
  }

  /** As many crash reports as the camera has restarts. */
  crashes(id: string): ApiCrash[] {
    const { restarts = 0, since = 0 } = this.cameras.get(id) ?? {};
    return Array.from({ length: restarts }, (_, i) => ({
      ...{ at: since - i * 11_000, startedAt: since - i * 11_000 - 4200 },
      ...{ code: 'crashed', message: 'ended with code 1: Error: decoder failed on a damaged keyframe' },
      lastLines: [
        'Error: decoder failed on a damaged keyframe',
        '    at Decoder.decode (src/actors/camera/pictures/decoder.ts:88:11)',
      ],
      ffmpeg: ['[h264 @ 0x55d0] error while decoding MB 41 22, bytestream -7'],
    }));
  }

  ledger(since: number, buckets: number, only?: string): ApiLedger {
    const to = Date.now();
    const bucketMs = (to - since) / buckets;
    const ids = [...this.cameras.keys()].filter((id) => only === undefined || id === only);
    const bucketsOf = (id: string) =>
      Array.from({ length: buckets }, (_, i) => this.#bucket(id, since + i * bucketMs, bucketMs));
    return { from: since, to, bucketMs, cameras: Object.fromEntries(ids.map((id) => [id, bucketsOf(id)])) };
  }

  #bucket(id: string, from: number, bucketMs: number): ApiLedgerBucket {
    const periods = Math.round(bucketMs / 1000);
    const missed: Record<string, number> = {};
    let left = periods;
    for (const gap of this.#gaps.get(id) ?? []) {
      const ms = Math.min(gap.to, from + bucketMs) - Math.max(gap.from, from);
      const count = Math.min(left, Math.round(Math.max(0, ms) / 1000));
      if (count > 0) missed[gap.reason] = (missed[gap.reason] ?? 0) + count;
      left -= count;
    }
    return { from, periods, confirmed: left, missed };
  }

  #add(i: number, count: number): void {
    const [place = '', side = ''] = [
      PLACES[i % PLACES.length],
      SIDES[Math.floor(i / PLACES.length) % SIDES.length],
    ];
    const floor = Math.floor(i / (PLACES.length * SIDES.length));
    const id = count <= PLACES.length ? `${place}-${side}` : `${place}-${side}-${floor + 1}`;
    const condition = this.#conditionOf(i, count);
    const now = Date.now();
    const since = now - this.#random.between(60_000, condition === 'delivering' ? 2 * 24 * HOUR_MS : HOUR_MS);
    const isNew = condition === 'starting' || condition === 'disabled';
    const base: ApiCamera = {
      ...{ id, tags: [side, i % 3 === 0 ? 'outside' : 'inside'], condition, since },
      ...{
        rate: 0,
        wantedRate: 1,
        restarts: condition === 'quarantined' ? 5 : 0,
        codec: i % 4 === 0 ? 'h265' : 'h264',
      },
      ...{
        sampling: 'between-keyframes',
        keyframeSeconds: i % 4 === 0 ? 4 : 2,
        clockSkewMs: this.#random.between(-40, 40),
      },
      ...(isNew
        ? {}
        : { picture: { capturedAt: since, width: 1920, height: 1080, format: 'jpeg' }, confirmedAt: since }),
    };
    const faults = FAULTS[condition];
    const fault = faults?.[i % faults.length];
    this.cameras.set(id, fault === undefined ? base : { ...base, fault: { ...fault, at: now - 4000 } });
    this.#gaps.set(id, this.#gapsOf(condition, since, fault?.code ?? condition));
  }

  #conditionOf(i: number, count: number): CameraCondition {
    if (count < 10) return i === 1 ? 'offline' : 'delivering';
    let place = (i * 37) % 100;
    for (const [condition, many] of RARE) {
      if (place < many) return condition;
      place -= many;
    }
    return 'delivering';
  }

  #gapsOf(condition: CameraCondition, since: number, reason: string): Gap[] {
    const random = this.#random;
    const gaps: Gap[] = [];
    const count = random.next() < 0.6 ? 0 : random.between(1, 5);
    for (let i = 0; i < count; i++) {
      const from = since - random.between(60_000, 20 * HOUR_MS) * (random.next() < 0.5 ? 0.04 : 1);
      const lasts = random.pick([3000, 20_000, 90_000, 600_000]);
      gaps.push({
        from,
        to: Math.min(since, from + lasts),
        reason: random.pick(['stalled', 'refused', 'udp-loss', 'restarting']),
      });
    }
    if (condition !== 'delivering') gaps.push({ from: since, to: Infinity, reason });
    return gaps;
  }
}
