/**
 * Evaluates late packets: how late the pictures are, whether a link slower than the stream is the cause,
 * and when the feed must be reopened. Pure; kept for the lifetime of the camera's process, across all openings of its feed.
 */
import { DelayHistory, MARKED_MS, type LinkRates, type Look } from './delay-history';
import { DelayMeter, type Arrival } from './delay-meter';
import { growthEvidence, linkEvidence, type Link } from './link-evidence';
import { SenderEvidence } from './sender-evidence';

/** Packets examined: those of the last seconds, but no fewer and no more than these numbers. */
const WINDOW_MS = 6000;
const MIN_WINDOW = 24;
const MAX_WINDOW = 1000;
const JUDGE_MS = 1000;
/** A delay beyond the limit for this long is not just one late packet. */
const BEYOND_MS = 500;
/** A lasting delay that reopening the feed does not limit is reported from this length on. */
const TOLD_MS = 2000;
/** A delay that grows by this much in half a minute on a link with room is due to a slow clock. */
const SLOW_CLOCK_MS = 50;
/** Consecutive observations that must find room. */
const SURE = 3;
/** A media time that advances by less than this part of the elapsed time stands still. */
const STANDS = 0.01;
const STANDS_AFTER_MS = 1000;
/** Once ffmpeg has made up times for this long, the sender's are no longer awaited. */
const MADE_MS = 10_000;
/** After this many openings with useless times, times are ignored. */
const ODD_OPENINGS = 2;
/** Reopenings for an uncertain cause; the count is reset once pictures were on time for the next constant. */
const UNCERTAIN_REOPENINGS = 2;
const ON_TIME_MS = 30 * 60_000;
/** The link was full since the feed was opened if the delay grew early on at this part of its later rate. */
const SINCE_OPENED = 0.5;
const ENOUGH_LOOKS = 4;

/**
 * `reopen`: pictures are older than allowed, and a new connection begins with current ones. `tell`: they are permanently
 * late, and reopening does not help or is not needed. `on-time`: no longer late.
 */
export type DelayNews =
  ({ readonly kind: 'reopen' | 'tell'; readonly delayMs: number } & LinkRates) | { readonly kind: 'on-time' };

export class LinkDelay {
  #meter = new DelayMeter();
  #sender = new SenderEvidence();
  #window: Arrival[] = [];
  #history = new DelayHistory();
  #bytes = 0;
  /** The first packet, until it is known how late it was. */
  #first: Arrival | undefined;
  /** `full` once the link was found to be, until pictures are on time. */
  #link: Link = 'unknown';
  /** Consecutive observations that found room. */
  #roomSeen = 0;
  #isGivenUp = false;
  #isOdd = false;
  #judgedAt = -Infinity;
  #beyondSince: number | undefined;
  #madeSince: number | undefined;
  #lateAt = -Infinity;
  #isTold = false;
  #oddOpenings = 0;
  #uncertain = 0;

  constructor(public maxDelayMs: number) {}

  /** The feed is reopened: its times are unrelated to those before. */
  reopen(): void {
    this.#meter = new DelayMeter();
    this.#sender = new SenderEvidence();
    this.#window = [];
    this.#history = new DelayHistory();
    this.#first = undefined;
    this.#bytes = 0;
    this.#link = 'unknown';
    this.#roomSeen = 0;
    this.#isGivenUp = false;
    this.#isOdd = this.#oddOpenings >= ODD_OPENINGS;
    this.#beyondSince = undefined;
    this.#madeSince = undefined;
    this.#judgedAt = -Infinity;
  }

  /** Milliseconds by which the newest packet was late, for its capture time. */
  get exactMs(): number {
    return this.#isOdd ? 0 : this.#meter.exactMs;
  }

  /** The recent delay without jitter: sampling uses it. */
  get sustainedMs(): number {
    return this.#isOdd ? 0 : this.#meter.sustainedMs;
  }

  /** Whole milliseconds if pictures are to be marked as late; undefined if they are on time. */
  get markedMs(): number | undefined {
    const { sustainedMs } = this;
    return sustainedMs < MARKED_MS ? undefined : Math.round(sustainedMs);
  }

  /** The sender's clock was reported for a packet. */
  told(one: { readonly mediaMs: number; readonly senderMs: number; readonly arrivedMs: number }): void {
    this.#sender.told(one);
  }

  /**
   * A packet came.
   * @param unitMs milliseconds of one unit of its media time
   */
  came(arrival: Arrival, unitMs: number): DelayNews | undefined {
    if (this.#isOdd) return this.#end();
    const { arrivedMs } = arrival;
    if (this.#bytes === 0) this.#first = arrival;
    const { jumps } = this.#meter;
    this.#meter.came(arrival, unitMs, this.#link !== 'full' && !this.#isTold);
    if (this.#meter.isMade) return this.#unlearned(arrivedMs);
    this.#madeSince = undefined;
    if (this.#meter.jumps > jumps) this.#forget();
    this.#window.push(arrival);
    this.#bytes += arrival.bytes;
    while (this.#isOutside(this.#window[0], arrivedMs)) this.#window.shift();
    const news = arrivedMs - this.#judgedAt >= JUDGE_MS ? this.#judge(arrival) : undefined;
    return this.#beyond(arrivedMs) ?? news;
  }

  /** Times made up by ffmpeg are useless here. They last as long as the sender's went back: perhaps hours. */
  #unlearned(now: number): DelayNews | undefined {
    this.#madeSince ??= now;
    if (now - this.#madeSince < MADE_MS) return undefined;
    this.#isOdd = true;
    return this.#end();
  }

  /** The media time was reset: nothing can be compared with what came before. */
  #forget(): void {
    this.#window = [];
    this.#history = new DelayHistory();
    this.#sender = new SenderEvidence();
    this.#first = undefined;
  }

  #isOutside(oldest: Arrival | undefined, now: number): boolean {
    if (oldest === undefined) return false;
    const { length } = this.#window;
    return length > MAX_WINDOW || (length > MIN_WINDOW && oldest.arrivedMs < now - WINDOW_MS);
  }

  #judge({ arrivedMs: now, mediaMs }: Arrival): DelayNews | undefined {
    this.#judgedAt = now;
    if (this.#standsStill(now)) return this.#disbelieve();
    const delayMs = this.#meter.sustainedMs;
    this.#history.add({ at: now, mediaMs, delayMs, bytes: this.#bytes });
    if (delayMs < MARKED_MS) return this.#judgeOnTime(now);
    this.#lateAt = now;
    this.#lookAtLink();
    if (!this.#history.isLasting) return undefined;
    if (this.#roomSeen >= SURE && this.#history.grownMs >= SLOW_CLOCK_MS) return this.#disbelieve();
    const stays = delayMs >= TOLD_MS && !this.#history.isGrowing;
    return stays && this.#link === 'full' ? this.#tell() : undefined;
  }

  #judgeOnTime(now: number): DelayNews | undefined {
    this.#link = 'unknown';
    if (now - this.#lateAt >= ON_TIME_MS) this.#uncertain = 0;
    return this.#end();
  }

  #end(): DelayNews | undefined {
    if (!this.#isTold) return undefined;
    this.#isTold = false;
    return { kind: 'on-time' };
  }

  #tell(): DelayNews {
    this.#isTold = true;
    return { ...this.#news(), kind: 'tell' };
  }

  #news(): { delayMs: number } & LinkRates {
    return { delayMs: Math.round(this.#meter.sustainedMs), ...this.#history.rates };
  }

  #lookAtLink(): void {
    const judges = [
      () => this.#sender.link,
      () => growthEvidence(this.#history.grown.map(({ delayMs }) => delayMs)),
      () => linkEvidence(this.#window),
    ];
    const link = judges.map((judge) => judge()).find((one) => one !== 'unknown') ?? 'unknown';
    this.#roomSeen = link === 'room' ? this.#roomSeen + 1 : 0;
    if (link === 'full') this.#link = link;
    if (this.#link === 'full') this.#addOpening();
  }

  /**
   * On a link that was full from the start, the first packet was late too: by the transfer time of its bytes.
   */
  #addOpening(): void {
    if (this.#first === undefined) return;
    const { early, rates, grown } = this.#history;
    if (early === undefined || grown.length < ENOUGH_LOOKS) return;
    const perMs = ({ at, delayMs }: Look) => delayMs / Math.max(1, at - (this.#first?.arrivedMs ?? at));
    const newest = grown.at(-1) ?? early;
    if (perMs(early) >= SINCE_OPENED * perMs(newest))
      this.#meter.add(Math.min(this.maxDelayMs, (8 * this.#first.bytes) / Math.max(1, rates.arrivesKbps)));
    this.#first = undefined;
  }

  #beyond(now: number): DelayNews | undefined {
    if (this.#isGivenUp || this.#meter.sustainedMs <= this.maxDelayMs) {
      this.#beyondSince = undefined;
      return undefined;
    }
    this.#beyondSince ??= now;
    if (now - this.#beyondSince < BEYOND_MS) return undefined;
    if (this.#link !== 'full' && this.#uncertain >= UNCERTAIN_REOPENINGS)
      return this.#isTold ? undefined : this.#tell();
    if (this.#link !== 'full') this.#uncertain++;
    this.#isGivenUp = true;
    return { ...this.#news(), kind: 'reopen' };
  }

  #standsStill(now: number): boolean {
    const [first] = this.#window;
    if (first === undefined || now - first.arrivedMs < STANDS_AFTER_MS) return false;
    const times = this.#window.map(({ mediaMs }) => mediaMs);
    return Math.max(...times) - Math.min(...times) < STANDS * (now - first.arrivedMs);
  }

  /** The times are useless for measuring delay: from now on only arrivals count. */
  #disbelieve(): DelayNews | undefined {
    this.#isOdd = true;
    this.#oddOpenings++;
    return this.#end();
  }
}
