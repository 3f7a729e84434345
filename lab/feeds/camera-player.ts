/** Sends a camera's pictures, and what is sent beside them, to one client, each packet when it is due. */
import type { PlacedTrack, SentUnit } from './camera-description';
import { payloadsOf, payloadType, type RtpCodec } from './rtp-packets';

const VIDEO_HZ = 90_000;
const EARLY_MS = 300;

/** One track on its way. */
interface Way {
  sequence: number;
  readonly source: number;
  readonly send: (packet: Buffer) => void;
}

export interface PlayedVideo {
  readonly codec: RtpCodec;
  /** Looped. */
  readonly units: readonly SentUnit[];
  readonly fps: number;
  /** Unit to begin with. */
  readonly joinAt?: number;
  /** Right before the last packet of a picture is sent. */
  readonly onSent?: (number: number, atMs: number) => void;
}

export class CameraPlayer {
  readonly #ways = new Map<string, Way>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(
    private readonly video: PlayedVideo,
    private readonly tracks: readonly PlacedTrack[],
  ) {}

  /** The client wants this track. */
  addWay(name: string, send: Way['send']): void {
    this.#ways.set(name, { sequence: 1, source: 0x1234 + this.#ways.size, send });
  }

  play(): void {
    const startedMs = performance.now();
    const beside = (wanted: (place: PlacedTrack['place']) => boolean) => {
      for (const { track, place } of this.tracks) if (wanted(place)) this.#playTrack(track, startedMs);
    };
    beside((place) => place === 'first' || place === 'early');
    const isEarly = this.tracks.some(({ track, place }) => place === 'early' && this.#ways.has(track.name));
    this.#playVideo(startedMs + (isEarly ? EARLY_MS : 0));
    beside((place) => place === 'second');
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #playVideo(startedMs: number): void {
    const way = this.#ways.get('video');
    if (way === undefined) return;
    const { units, fps, codec, onSent, joinAt = 0 } = this.video;
    const first = units[joinAt]?.sentAt ?? 0;
    const length = units.filter(({ sentAt }) => Number.isInteger(sentAt)).length;
    const turnOf = (index: number) => Math.floor(index / units.length) * length;
    const dueMs = (index: number) =>
      ((turnOf(index) + (units[index % units.length]?.sentAt ?? 0) - first) * 1000) / fps;
    this.#repeat(joinAt, startedMs, dueMs, (index) => {
      const unit = units[index % units.length];
      if (unit === undefined) return;
      const time = Math.round(((turnOf(index) + unit.shownAt) * VIDEO_HZ) / fps);
      const packets = payloadsOf(codec, unit.bytes, unit.key);
      for (const [i, payload] of packets.entries()) {
        const isLast = i === packets.length - 1;
        if (isLast) onSent?.(unit.number, Date.now());
        this.#send(way, payload, payloadType(codec), time, isLast);
      }
    });
  }

  #playTrack(track: PlacedTrack['track'], startedMs: number): void {
    const way = this.#ways.get(track.name);
    if (way === undefined) return;
    const { payloads, packetMs, ticksPerPacket, marker } = track;
    this.#repeat(
      0,
      startedMs,
      (index) => index * packetMs,
      (index) => {
        const payload = payloads[index % payloads.length];
        if (payload !== undefined)
          this.#send(way, payload, track.payloadType, index * ticksPerPacket, marker);
      },
    );
  }

  /** Calls `send` for one index after the other when it is due; what is late is sent at once. */
  #repeat(
    from: number,
    startedMs: number,
    dueMs: (index: number) => number,
    send: (index: number) => void,
  ): void {
    let index = from;
    const turn = (): void => {
      while (!this.#stopped && performance.now() >= startedMs + dueMs(index)) send(index++);
      if (this.#stopped) return;
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          turn();
        },
        Math.max(0, startedMs + dueMs(index) - performance.now()),
      );
      this.#timers.add(timer);
    };
    turn();
  }

  #send(way: Way, payload: Buffer, type: number, time: number, marker: boolean): void {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = type | (marker ? 0x80 : 0);
    head.writeUInt16BE(way.sequence, 2);
    // The value wraps for a camera that runs for days; a display time may lie before the first.
    head.writeUInt32BE((time + 2 ** 32) % 2 ** 32, 4);
    head.writeUInt32BE(way.source, 8);
    way.sequence = (way.sequence + 1) & 0xffff;
    way.send(Buffer.concat([head, payload]));
  }
}
