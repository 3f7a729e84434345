/** Keeps the model current: follows the events, and reconnects when the connection is lost. */
import type { ApiCamera, ApiPicture, ApiRemoved, ApiReset, ApiState } from '../src/actors/web/view/api';
import { ApiError, getJson, whyRefused } from './api-client.js';
import { topic, type Model } from './model.js';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
/** A connection may be dead without an error: after this long without an event, Vigil is asked. */
const SILENCE_MS = 20_000;
const WATCH_MS = 5000;
/** A hidden page closes its connection: browsers allow only a few of them per server. */
const HIDDEN_MS = 60_000;

export class Live {
  #events: EventSource | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retry?: number;
  #hidden?: number;
  /** Answers to questions of an earlier connection come too late. */
  #attempt = 0;

  constructor(private readonly model: Model) {}

  start(): void {
    void this.connect();
    setInterval(() => void this.#watch(), WATCH_MS);
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
    addEventListener('online', () => void this.connect());
  }

  /** Connects at once, with a full update. */
  async connect(): Promise<void> {
    this.#close();
    const attempt = ++this.#attempt;
    try {
      // Only an answer distinguishes a refused token from a server that is away; an EventSource does not.
      await this.#ask();
      if (attempt === this.#attempt) this.#open();
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(error);
    }
  }

  #open(): void {
    const events = new EventSource('api/events');
    this.#events = events;
    // What was missed comes next, or a reset.
    events.addEventListener('open', () => this.#connected());
    events.addEventListener('error', () => {
      if (events !== this.#events) return;
      if (events.readyState === EventSource.CLOSED) void this.#refused();
      else this.#lost('');
    });
    this.#on('reset', ({ state, cameras }: ApiReset) => this.#reset(state, cameras));
    this.#on('state', (state: ApiState) => this.model.setState(state));
    this.#on('camera', (camera: ApiCamera) => this.model.setCamera(camera));
    this.#on('removed', ({ id }: ApiRemoved) => this.model.removeCamera(id));
    this.#on('picture', ({ id, capturedAt }: ApiPicture) => this.model.setPicture(id, capturedAt));
  }

  #on(name: string, heard: (data: never) => void): void {
    this.#events?.addEventListener(name, (event: MessageEvent<string>) => {
      this.model.heardAt = Date.now();
      heard(JSON.parse(event.data) as never);
    });
  }

  /** An EventSource does not report why it was refused. */
  async #refused(): Promise<void> {
    const attempt = this.#attempt;
    const error = await whyRefused('api/events');
    if (attempt === this.#attempt) this.#failed(error);
  }

  #connected(): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.model.heardAt = Date.now();
    if (this.model.link.name === 'lost') this.model.back = { at: Date.now(), restarted: false };
    if (this.model.link.name !== 'live') this.model.setLink({ name: 'live' });
  }

  #reset(state: ApiState, cameras: readonly ApiCamera[]): void {
    const before = this.model.state?.startedAt;
    this.model.setState(state);
    this.model.setCameras(cameras);
    if (before === undefined || before === state.startedAt) return;
    this.model.back = { at: Date.now(), restarted: true };
    this.model.topics.announce(topic.link);
  }

  /** Only checks that Vigil answers, and reads its clock: the content comes by event. */
  async #ask(): Promise<void> {
    const { serverTime } = await getJson<ApiState>('api/state');
    this.model.heardClock(serverTime);
  }

  #failed(error: unknown): void {
    this.#close();
    if (error instanceof ApiError && error.status === 401) this.model.setLink({ name: 'signed-out' });
    else {
      this.#lost(error instanceof ApiError && error.status > 0 ? error.message : '');
      this.#connectLater();
    }
  }

  #lost(why: string): void {
    const { link } = this.model;
    const since = link.name === 'lost' ? link.since : Date.now();
    if (link.name !== 'lost' || link.why !== why) this.model.setLink({ name: 'lost', since, why });
  }

  #connectLater(): void {
    this.#close();
    const delay = this.#retryMs * (0.75 + Math.random() / 2);
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    this.#retry = setTimeout(() => void this.connect(), delay);
  }

  #close(): void {
    clearTimeout(this.#retry);
    this.#events?.close();
    this.#events = undefined;
  }

  async #watch(): Promise<void> {
    const { link, heardAt = 0 } = this.model;
    if (link.name !== 'live' || document.hidden || Date.now() - heardAt < SILENCE_MS) return;
    const attempt = this.#attempt;
    try {
      await this.#ask();
      // No event arrived because nothing has changed.
      if (attempt === this.#attempt) this.model.heardAt = Date.now();
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(error);
    }
  }

  #visibilityChanged(): void {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => this.#close(), HIDDEN_MS);
    else if (this.#events === undefined && this.model.link.name !== 'signed-out') void this.connect();
    this.model.topics.announce(topic.tick);
  }
}
