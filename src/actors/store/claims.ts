/**
 * Claims of a fleet's nodes in Redis: one picture per sampling period is announced, whichever nodes captured
 * it. A claim is taken before the frame is stored, renewed while the broker has not answered, and marked when
 * it has confirmed. Crash points and their costs: docs/fleet.md.
 */
import type { Result } from 'ioredis';
import { frameId, type Frame } from '../../contract/frame';
import type { RedisClient } from '../../connections/redis';

/**
 * `ours`: announce the picture. `announced`: it was already announced and confirmed. `superseded`: another
 * picture of the period was. `held`: another node is about to announce one, or died while doing so.
 */
export type Claim = 'ours' | 'announced' | 'superseded' | 'held';

/** A claim that is not renewed within this time expires. */
export const CLAIM_MS = 10_000;
/** Interval of renewal while an answer is awaited. */
const RENEW_CLAIM_MS = 2500;
/** A claim older than this is renewed before its frame is announced. */
export const FRESH_CLAIM_MS = 5000;

/** Periods of one key: 8 KiB, an hour and eight minutes of one a second. */
const PERIODS = 4096;
/** Values of a mark: milliseconds, modulo a minute and a bit. */
const MARKS = 65_535;
/** For periods of at most this length, marks of neighbouring periods show how far apart their pictures are. */
const MAX_PERIOD_MS = 20_000;
/** Share of a period: no two pictures closer than that are announced. The same bound as the sampler's. */
const NEAREST = 0.5;
/** Periods of a camera that are marked again on a server that may have lost them: a quarter of an hour of one a second. */
const KEPT_PERIODS = 900;

/**
 * KEYS: marks and claim of the period, of the one before and of the one behind. ARGV: mark, token, milliseconds of a claim,
 * milliseconds that pictures of neighbouring periods are apart at least if others announced them, place; and of each neighbour its
 * place and this node's own mark there. All keys have the camera for hash tag: one slot.
 */
const CLAIM = `
local function marked(key, place) return redis.call('BITFIELD', key, 'GET', 'u16', '#' .. place)[1] end
local mark, token = tonumber(ARGV[1]), ARGV[2]
local found = marked(KEYS[1], ARGV[5])
if found ~= 0 then return found == mark and 'announced' or 'superseded' end
local function isNear(other)
  local distance = math.abs(other - mark)
  return math.min(distance, ${MARKS} - distance) < tonumber(ARGV[4])
end
local function holder(key)
  local value = redis.call('GET', key)
  if not value then return nil end
  local other, at = value:match('^(%S+) (%d+)$')
  return other ~= token and tonumber(at) or nil
end
if holder(KEYS[2]) then return 'held' end
for i = 1, 2 do
  local key, own = KEYS[2 * i + 1], tonumber(ARGV[5 + 2 * i])
  local other = marked(key, ARGV[4 + 2 * i])
  if other ~= 0 and other ~= own and isNear(other) then return 'superseded' end
  local claimed = holder(KEYS[2 * i + 2])
  if claimed and isNear(claimed) then return 'held' end
end
redis.call('SET', KEYS[2], token .. ' ' .. mark, 'PX', ARGV[3])
return 'ours'`;

/** KEYS: marks, and perhaps a claim. ARGV: milliseconds that marks are kept, then place and mark of each period. */
const MARK = `
local answer = 'announced'
for i = 2, #ARGV, 2 do
  local place = '#' .. ARGV[i]
  local mark = redis.call('BITFIELD', KEYS[1], 'GET', 'u16', place)[1]
  if mark == 0 then redis.call('BITFIELD', KEYS[1], 'SET', 'u16', place, ARGV[i + 1])
  elseif mark ~= tonumber(ARGV[i + 1]) then answer = 'superseded' end
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
redis.call('DEL', KEYS[2])
return answer`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    vigilClaim(...values: (string | number)[]): Result<Claim, Context>;
    vigilMark(marks: string, claim: string, ...values: (string | number)[]): Result<Claim, Context>;
  }
}

/** Keeps the claim while `announced` is pending, and marks the period when it resolves. Rejects as it does, or with a Fault of Redis. */
export async function underClaim<T>(
  claims: Pick<Claims, 'claim' | 'confirm'> | undefined,
  frame: Frame,
  announced: Promise<T>,
): Promise<T> {
  if (claims === undefined) return announced;
  const renewing = setInterval(() => void claims.claim(frame).catch(() => undefined), RENEW_CLAIM_MS);
  try {
    const kept = await announced;
    await claims.confirm(frame);
    return kept;
  } finally {
    clearInterval(renewing);
  }
}

export interface ClaimsOptions {
  readonly client: RedisClient;
  readonly namespace: string;
  /** Identifies this node, also after a restart, so that its retry is accepted. */
  readonly token: string;
  /** Milliseconds that marks are kept: longer than any picture waits in a spool plus its lifetime in Redis. */
  readonly keepMs: number;
  /** Changes when a server was lost, and perhaps its memory with it. */
  readonly session: () => number;
  /** Runs a command that counts only on a server that stays. Throws a Fault. */
  readonly write: <T>(command: () => Promise<T>) => Promise<T>;
}

export class Claims {
  /** Ids of frames that the broker has confirmed, and that could not be marked yet. */
  readonly #unmarked = new Set<string>();
  /** Marks by camera, oldest first. */
  readonly #marked = new Map<string, (readonly [sequence: number, mark: number])[]>();
  #session: number | undefined;
  #marking: Promise<void> | undefined;

  constructor(private readonly options: ClaimsOptions) {
    options.client.defineCommand('vigilClaim', { numberOfKeys: 6, lua: CLAIM });
    options.client.defineCommand('vigilMark', { numberOfKeys: 2, lua: MARK });
  }

  /**
   * Claims the frame's period for this node, or renews its claim.
   * @throws Fault of Redis
   */
  async claim(frame: Frame): Promise<Claim> {
    if (this.#unmarked.has(frameId(frame))) return this.confirm(frame);
    await this.#markAgain();
    const { client, token, write } = this.options;
    const neighbours = [-1, 1].map((by) => ({ ...frame, sequence: frame.sequence + by }));
    const keys = [frame, ...neighbours].flatMap((each) => this.#keys(each));
    const values = neighbours.flatMap((each) => [placeOf(each), this.#ownMarkOf(each)]);
    const own = [markOf(frame), token, CLAIM_MS, nearestMs(frame), placeOf(frame)];
    return write(() => client.vigilClaim(...keys, ...own, ...values));
  }

  /**
   * The message is confirmed: no other node announces the period.
   * @returns `superseded` if another node has done so meanwhile
   * @throws Fault of Redis; the next {@link Claims.claim} of the frame makes up for it
   */
  async confirm(frame: Frame): Promise<Claim> {
    const { client, keepMs, write } = this.options;
    this.#unmarked.add(frameId(frame));
    const [marks, claim] = this.#keys(frame);
    const answer = await write(() => client.vigilMark(marks, claim, keepMs, placeOf(frame), markOf(frame)));
    this.#unmarked.delete(frameId(frame));
    this.#keep(frame);
    return answer;
  }

  /** 0 where this node has announced none, or not lately. */
  #ownMarkOf({ camera, sequence }: Frame): number {
    return this.#marked.get(camera)?.findLast(([marked]) => marked === sequence)?.[1] ?? 0;
  }

  #keep({ camera, ...frame }: Frame): void {
    const kept = this.#marked.get(camera) ?? [];
    this.#marked.set(camera, kept);
    kept.push([frame.sequence, markOf(frame)]);
    if (kept.length > KEPT_PERIODS) kept.shift();
  }

  /** A replica that was promoted lacks the last marks, and a server that lost its memory all. */
  async #markAgain(): Promise<void> {
    if (this.#session === this.options.session()) return;
    this.#marking ??= this.#markAll().finally(() => {
      this.#marking = undefined;
    });
    await this.#marking;
  }

  async #markAll(): Promise<void> {
    const { client, keepMs, write, session } = this.options;
    const present = session();
    for (const [camera, kept] of this.#marked) {
      const buckets = new Map<number, number[]>();
      for (const [sequence, mark] of kept) {
        const bucket = bucketOf(sequence);
        const values = buckets.get(bucket) ?? [];
        buckets.set(bucket, values);
        values.push(sequence % PERIODS, mark);
      }
      for (const [bucket, values] of buckets) {
        const marks = this.#marksKey(camera, bucket);
        await write(() => client.vigilMark(marks, `${marks}:none`, keepMs, ...values));
      }
    }
    this.#session = present;
  }

  #keys({ camera, sequence }: Frame): readonly [marks: string, claim: string] {
    const claim = `${this.options.namespace}:claim:{${camera}}:${sequence}`;
    return [this.#marksKey(camera, bucketOf(sequence)), claim];
  }

  #marksKey(camera: string, bucket: number): string {
    return `${this.options.namespace}:claimed:{${camera}}:${bucket}`;
  }
}

function bucketOf(sequence: number): number {
  return Math.floor(sequence / PERIODS);
}

function placeOf({ sequence }: Frame): number {
  return sequence % PERIODS;
}

/** Distinguishes the pictures of one period, which are less than a minute apart; never 0. */
function markOf({ capturedAt }: Pick<Frame, 'capturedAt'>): number {
  return 1 + (capturedAt % MARKS);
}

/** Distance to pictures of other nodes in the neighbouring periods, milliseconds; 0 if marks do not show it. */
function nearestMs({ capturedAt, sequence }: Frame): number {
  // The length of its periods, by their number: to a millionth.
  const periodMs = capturedAt / sequence;
  return periodMs <= MAX_PERIOD_MS ? Math.floor(periodMs * NEAREST) : 0;
}
