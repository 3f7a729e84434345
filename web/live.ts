/** Keeps the model true: asks for everything once, follows the events, connects again when the connection is lost. */
import type { ApiCamera, ApiState } from '../src/actors/web/api';
import { ApiError, getJson } from './api-client.js';
import { topic, type Model } from './model.js';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
/** A connection may be dead without an error: after this long without an event, Vigil is asked. */
const SILENCE_MS = 20_000;
const WATCH_MS = 5000;
/** A page that nobody sees lets go of its connection: browsers have few of them for one server. */
const HIDDEN_MS = 60_000;

export class Live {
  #events: EventSource | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retry?: number;
  #hidden?: number;
  /** Cameras heard of by event while all of them were being asked for. */
  #fresher = new Set<string>();
  /** Answers to questions of an earlier connection come too late. */
  #attempt = 0;

  constructor(private readonly model: Model) {}

  start(): void {
    void this.connect();
    setInterval(() => void this.#watch(), WATCH_MS);
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
    addEventListener('online', () => void this.connect());
  }

  /** From the beginning, at once. */
  async connect(): Promise<void> {
    this.#close();
    const attempt = ++this.#attempt;
    try {
      // Only an answer tells a refused token from a server that is away; an EventSource does not.
      await this.#askState();
      if (attempt === this.#attempt) this.#open();
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(error);
    }
  }

  #open(): void {
    const events = new EventSource('api/events');
    this.#events = events;
    events.addEventListener('open', () => void this.#resync());
    events.addEventListener('error', () => {
      if (events !== this.#events) return;
      this.#lost('the connection ended');
      if (events.readyState === EventSource.CLOSED) this.#connectLater();
    });
    this.#on('state', (state: ApiState) => this.model.setState(state));
    this.#on('camera', (camera: ApiCamera) => {
      this.#fresher.add(camera.id);
      this.model.setCamera(camera);
    });
    this.#on('removed', ({ id }: { id: string }) => {
      this.#fresher.add(id);
      this.model.removeCamera(id);
    });
    this.#on('picture', ({ id, capturedAt }: { id: string; capturedAt: number }) =>
      this.model.setPicture(id, capturedAt),
    );
    this.#on('reset', () => void this.#resync());
  }

  #on(name: string, heard: (data: never) => void): void {
    this.#events?.addEventListener(name, (event: MessageEvent<string>) => {
      this.model.heardAt = Date.now();
      heard((event.data === '' ? {} : JSON.parse(event.data)) as never);
    });
  }

  /** Asks for everything; events that come meanwhile are newer than the answer. */
  async #resync(): Promise<void> {
    const attempt = this.#attempt;
    this.#fresher = new Set();
    try {
      const startedAt = this.model.state?.startedAt;
      const [state, cameras] = await Promise.all([
        this.#askState(),
        getJson<readonly ApiCamera[]>('api/cameras'),
      ]);
      if (attempt !== this.#attempt) return;
      this.model.setState(state);
      this.model.setCameras(cameras.body, this.#fresher);
      this.#retryMs = FIRST_RETRY_MS;
      if (this.model.link.name === 'lost')
        this.model.back = {
          at: Date.now(),
          restarted: startedAt !== undefined && startedAt !== state.startedAt,
        };
      if (this.model.link.name !== 'live') this.model.setLink({ name: 'live' });
    } catch (error) {
      if (attempt === this.#attempt) this.#failed(error);
    }
  }

  async #askState(): Promise<ApiState> {
    const { body, serverTime } = await getJson<ApiState>('api/state');
    this.model.heardAt = Date.now();
    this.model.heardClock(serverTime);
    // Kept until the cameras are told as well: a restart is seen by the difference.
    if (this.model.link.name === 'live' || this.model.state === undefined) this.model.setState(body);
    return body;
  }

  #failed(error: unknown): void {
    this.#close();
    if (error instanceof ApiError && error.status === 401) this.model.setLink({ name: 'signed-out' });
    else {
      this.#lost(error instanceof ApiError ? error.message : String(error));
      this.#connectLater();
    }
  }

  #lost(why: string): void {
    const { link } = this.model;
    if (link.name !== 'lost') this.model.setLink({ name: 'lost', since: Date.now(), why });
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
      await this.#askState();
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
