/**
 * What one webhook is sent: each trouble once, and its end once. The duration of a trouble is measured by the clock that is
 * never set, so that a step of the wall clock triggers no notice. Pure.
 */
import type { NoticeCondition } from '../../config/notice-conditions';
import type { WebhookSpec } from '../../config/topology';
import type { NoticeBody, NoticeType } from './notice';
import type { Seen, SeenCamera } from './seen';
import { duration, troubleSentence } from './sentences';

/** A trouble ends when the spool is a tenth below the bound, so that a spool near the bound is reported once. */
const RELIEF = 0.9;
/** Milliseconds that a camera was silent before it counted as offline and this was seen. */
const UNSEEN_MS = 2000;

/** The parts of a trouble that are kept across a restart. */
export interface KeptTrouble {
  /** When it began, milliseconds since the epoch. */
  readonly since: number;
  /** Conditions that were reported. */
  readonly told: readonly string[];
}
export type KeptTroubles = Readonly<Record<string, KeptTrouble>>;

interface Trouble {
  since: number;
  readonly beganMs: number;
  readonly told: Set<string>;
}

type Told = Omit<NoticeBody['data'], 'namespace' | 'since'>;

export class Troubles {
  /** Troubles by subject. */
  readonly #troubles = new Map<string, Trouble>();
  #hasLooked = false;

  constructor(
    private readonly spec: Pick<WebhookSpec, 'when' | 'cameras' | 'tags'>,
    private readonly namespace: string,
    kept: KeptTroubles,
    now: Pick<Seen, 'atMs' | 'clockMs'>,
  ) {
    for (const [of, { since, told }] of Object.entries(kept))
      this.#troubles.set(of, {
        since,
        beganMs: now.clockMs - Math.max(0, now.atMs - since),
        told: new Set(told),
      });
  }

  get kept(): KeptTroubles {
    return Object.fromEntries(
      [...this.#troubles].map(([of, { since, told }]) => [of, { since, told: [...told] }]),
    );
  }

  /** The notices to send now. */
  look(seen: Seen): NoticeBody[] {
    const { cameras, tags } = this.spec;
    const isAll = cameras === undefined && tags === undefined;
    const watched = seen.cameras.filter(
      (camera) =>
        isAll || cameras?.includes(camera.id) === true || camera.tags.some((tag) => tags?.includes(tag)),
    );
    const notices = [
      ...watched.flatMap((camera) => this.#camera(camera, seen)),
      ...this.#gone(new Set(watched.map(({ id }) => `camera ${id}`)), seen),
      ...(isAll ? [...this.#actors(seen), ...this.#spool(seen)] : []),
    ];
    this.#hasLooked = true;
    return notices;
  }

  #camera(camera: SeenCamera, seen: Seen): NoticeBody[] {
    const { id, tags, condition, fault, presentMs } = camera;
    const of = `camera ${id}`;
    const about: Omit<Told, 'message'> = { camera: id, ...(tags.length === 0 ? {} : { tags }) };
    if (condition === 'disabled')
      return this.#over(of, 'vigil.camera.recovered', seen, {
        ...about,
        message: `camera ${id} is no longer watched: it was disabled`,
        reason: 'disabled',
      });
    if (condition === 'delivering' || condition === 'waiting')
      return this.#over(of, 'vigil.camera.recovered', seen, {
        ...about,
        message: `camera ${id} delivers pictures again${this.#after(of, seen)}`,
      });
    const trouble = this.#begin(of, camera.since, presentMs + UNSEEN_MS, seen);
    if (condition === 'offline') trouble.since = Math.min(trouble.since, camera.since);
    const ms = seen.clockMs - trouble.beganMs;
    return this.#tell(trouble, seen, (wanted) => {
      const isMet =
        wanted.kind === 'offline'
          ? ms > wanted.overMs
          : wanted.kind === 'quarantined' && condition === 'quarantined';
      if (!isMet) return undefined;
      const type = wanted.kind === 'offline' ? 'vigil.camera.offline' : 'vigil.camera.quarantined';
      const message = troubleSentence(wanted.kind, id, ms, fault);
      return [type, { ...about, message, ...(fault === undefined ? {} : { fault }) }];
    });
  }

  /** Cameras that are no longer configured, or no longer selected by this webhook. */
  #gone(watched: ReadonlySet<string>, seen: Seen): NoticeBody[] {
    return [...this.#troubles.keys()]
      .filter((of) => of.startsWith('camera ') && !watched.has(of))
      .flatMap((of) => {
        const camera = of.slice('camera '.length);
        const message = `camera ${camera} is no longer watched: it was removed from the configuration, or from the cameras of this webhook`;
        return this.#over(of, 'vigil.camera.recovered', seen, { camera, message, reason: 'removed' });
      });
  }

  #actors(seen: Seen): NoticeBody[] {
    const there = new Set(seen.actors.map(({ name }) => `actor ${name}`));
    const gone = [...this.#troubles.keys()].filter((of) => of.startsWith('actor ') && !there.has(of));
    for (const of of gone) this.#troubles.delete(of);
    return seen.actors.flatMap(({ name, isQuarantined, since, fault }) => {
      const of = `actor ${name}`;
      if (!isQuarantined)
        return this.#over(of, 'vigil.actor.recovered', seen, {
          actor: name,
          message: `${name} is no longer quarantined`,
        });
      return this.#tell(this.#begin(of, since, 0, seen), seen, ({ kind }) => {
        if (kind !== 'quarantined') return undefined;
        const message = `${name} is quarantined: its process ended too often and is started only now and then`;
        return [
          'vigil.actor.quarantined',
          { actor: name, message, ...(fault === undefined ? {} : { fault }) },
        ];
      });
    });
  }

  #spool(seen: Seen): NoticeBody[] {
    const { spoolShare: share, atMs } = seen;
    if (share === undefined) return [];
    const bounds = this.spec.when.flatMap((wanted) => (wanted.kind === 'spool' ? [wanted.overShare] : []));
    const least = Math.min(...bounds);
    if (share < least * RELIEF || bounds.length === 0) {
      const message = `the spool is ${percent(share)} full: frames are delivered faster than they come`;
      return this.#over('spool', 'vigil.spool.recovered', seen, { message, share });
    }
    if (share <= least) return [];
    return this.#tell(this.#begin('spool', atMs, 0, seen), seen, (wanted) => {
      if (wanted.kind !== 'spool' || share <= wanted.overShare) return undefined;
      const message = `the spool is ${percent(share)} full: Redis or RabbitMQ takes too few frames, and the oldest are dropped when it is full`;
      return ['vigil.spool.filling', { message, share }];
    });
  }

  /** @param unseenMs how long before it was seen it may have begun */
  #begin(of: string, since: number, unseenMs: number, { atMs, clockMs }: Seen): Trouble {
    const known = this.#troubles.get(of);
    if (known !== undefined) return known;
    const sinceMs = Math.max(0, atMs - since);
    // A trouble that began before this process first looked has lasted all that time.
    const beganMs = clockMs - (this.#hasLooked ? Math.min(sinceMs, unseenMs) : sinceMs);
    const trouble: Trouble = { since: atMs - (clockMs - beganMs), beganMs, told: new Set() };
    this.#troubles.set(of, trouble);
    return trouble;
  }

  #tell(
    trouble: Trouble,
    seen: Seen,
    tell: (wanted: NoticeCondition) => readonly [NoticeType, Told] | undefined,
  ): NoticeBody[] {
    return this.spec.when.flatMap((wanted) => {
      const told = trouble.told.has(wanted.text) ? undefined : tell(wanted);
      if (told === undefined) return [];
      trouble.told.add(wanted.text);
      return [this.#body(told[0], trouble.since, seen, told[1])];
    });
  }

  #over(of: string, type: NoticeType, seen: Seen, told: Told): NoticeBody[] {
    const trouble = this.#troubles.get(of);
    this.#troubles.delete(of);
    const isWanted = this.spec.when.some(({ kind }) => kind === 'recovered');
    if (trouble === undefined || trouble.told.size === 0 || !isWanted) return [];
    return [this.#body(type, trouble.since, seen, told)];
  }

  #after(of: string, { clockMs }: Seen): string {
    const trouble = this.#troubles.get(of);
    return trouble === undefined ? '' : `, after ${duration(clockMs - trouble.beganMs)}`;
  }

  #body(type: NoticeType, since: number, { atMs }: Seen, { message, ...told }: Told): NoticeBody {
    return {
      type,
      timestamp: new Date(atMs).toISOString(),
      data: { namespace: this.namespace, message, since: new Date(since).toISOString(), ...told },
    };
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
