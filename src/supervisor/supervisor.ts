/** The supervisor: starts servers and actors top to bottom, keeps them, carries their records, stops bottom to top. */
import type { CameraSpec, ServerSpec, Topology } from '../config/topology';
import { aborted } from '../clock/sleep';
import type { CameraState } from '../contract/message';
import type { Log } from '../log/log';
import type { FaultRecord } from '../protocol/fault';
import type { ActorCommand, ActorReport } from '../protocol/messages';
import { ActorHost, type ActorSpec, type HostedActor } from './actor-host';
import { cameraSpec, notifierSpec, storeSpec } from './actor-specs';
import { Child, type Incarnation } from './child';
import type { DataDirectory } from './data-directory';
import { findFfmpeg } from './services/programs';
import { prepareRabbitmq } from './services/rabbitmq';
import { prepareRedis } from './services/redis';
import type { EmbeddedService } from './services/service';

/** Cameras started at once; more only wait for each other on a small machine. */
const PARALLEL_STARTS = 4;
/** Milliseconds each layer has to stop. Their sum stays below PM2's kill_timeout in ecosystem.config.cjs. */
const STOP_MS = { camera: 2500, store: 2500, notifier: 1500, server: 6000 } as const;

export interface SupervisorOptions {
  readonly topology: Topology;
  readonly data: DataDirectory;
  readonly log: Log;
  /** Store and notifier reach their servers: the daemon does its work. Called once. */
  readonly onReady: () => void;
}

export class Supervisor {
  readonly #stopping = new AbortController();
  #started: Promise<void> = Promise.resolve();
  #host: ActorHost | undefined;
  readonly #services: Child[] = [];
  readonly #cameras = new Map<string, Child>();
  /** The state each camera reported last. */
  readonly #cameraStates = new Map<string, CameraState>();
  #store: Child | undefined;
  #notifier: Child | undefined;
  /** Running actors by name, to carry messages to. */
  readonly #running = new Map<string, HostedActor>();
  /** Actors whose server does not answer yet. */
  readonly #unready = new Set(['store', 'notifier']);

  constructor(private readonly options: SupervisorOptions) {}

  /**
   * Starts everything. Waits for nothing that can come later: a remote server that is away, a camera that is off.
   * @throws Fault `port-in-use`, `missing-program` or `service-start` when an embedded server cannot run here.
   */
  async start(): Promise<void> {
    this.#started = this.#startAll();
    await this.#started;
  }

  /** Stops everything, bottom to top; safe while still starting. Each layer has a deadline, so this ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#started.catch(() => undefined);
    await Promise.all([...this.#cameras.values()].map((camera) => camera.stop()));
    await this.#store?.stop();
    await this.#notifier?.stop();
    await Promise.all(this.#services.map((service) => service.stop()));
    await this.#host?.close();
  }

  async #startAll(): Promise<void> {
    const { topology, data, log } = this.options;
    const services = await this.#prepareServices();
    const redisUrl = urlOf(topology.redis, services, 'redis');
    const amqpUrl = urlOf(topology.rabbitmq, services, 'rabbitmq');
    data.writeEndpoints({ redis: redisUrl, amqp: amqpUrl });
    this.#host = await ActorHost.open(log, topology.logLevel, (name, report) => {
      this.#onReport(name, report);
    });
    // A broker takes seconds to start. Cameras need not wait for it: the spool keeps their frames. Store and notifier
    // do, with their processes ready.
    const serving = this.#startServices(services);
    const served = serving.catch(() => aborted(this.#stopping.signal));
    this.#notifier = this.#actorChild(notifierSpec(topology, amqpUrl), STOP_MS.notifier, served, () => {
      this.#send('store', { kind: 'notifier-lost' });
    });
    this.#store = this.#actorChild(
      storeSpec(topology, redisUrl, data.folder('spool')),
      STOP_MS.store,
      served,
    );
    const actors = Promise.all([this.#startChild(this.#notifier), this.#startChild(this.#store)]);
    const cameras = this.#startCameras();
    await serving;
    await actors;
    await cameras;
  }

  async #prepareServices(): Promise<EmbeddedService[]> {
    const { topology, data, log } = this.options;
    const services: EmbeddedService[] = [];
    if (topology.redis.kind === 'embedded')
      services.push(await prepareRedis(data.folder('redis'), topology.redis.port, log));
    if (topology.rabbitmq.kind === 'embedded')
      services.push(await prepareRabbitmq(data.folder('rabbitmq'), topology.rabbitmq.port, log));
    return services;
  }

  async #startServices(services: readonly EmbeddedService[]): Promise<void> {
    const { signal } = this.#stopping;
    const children = services.map((service) => this.#serviceChild(service));
    this.#services.push(...children);
    const cancel = () => {
      for (const child of children) void child.stop();
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      await Promise.all(children.map((child) => child.start()));
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  #serviceChild(service: EmbeddedService): Child {
    const { log } = this.options;
    return new Child({
      name: service.name,
      log,
      start: async (signal) => {
        const startedAt = Date.now();
        const cancel = () => void service.stop(STOP_MS.server);
        signal.addEventListener('abort', cancel, { once: true });
        log.info(`${service.name} is starting`);
        const server = await service.start().finally(() => {
          signal.removeEventListener('abort', cancel);
        });
        log.info(`${service.name} runs`, { server: server.pid, ms: Date.now() - startedAt });
        const ended = server.exited.then(() => `by itself; its last words: ${server.lastWords()}`);
        return { pid: server.pid, ended, stop: () => service.stop(STOP_MS.server) };
      },
    });
  }

  async #startCameras(): Promise<void> {
    const { topology, data } = this.options;
    const ffmpeg = findFfmpeg(topology.ffmpeg) ?? 'ffmpeg';
    const spoolDir = data.folder('spool');
    const waiting = [...topology.cameras];
    const startNext = async (): Promise<void> => {
      for (let camera = waiting.shift(); camera !== undefined; camera = waiting.shift())
        await this.#startCamera(camera, ffmpeg, spoolDir);
    };
    await Promise.all(Array.from({ length: PARALLEL_STARTS }, startNext));
  }

  async #startCamera(camera: CameraSpec, ffmpeg: string, spoolDir: string): Promise<void> {
    const spec = cameraSpec(camera, ffmpeg, spoolDir);
    const child = this.#actorChild(spec, STOP_MS.camera, Promise.resolve());
    this.#cameras.set(camera.id, child);
    await this.#startChild(child);
  }

  /** Resolves when the child runs, or has failed once and is tried again by itself. */
  async #startChild(child: Child): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    await child.start().catch((error: unknown) => {
      this.options.log.error((error as Error).message);
      child.startWhenPossible();
    });
  }

  /** @param until the actor's process is started at once, its work begins when this resolves */
  #actorChild(spec: ActorSpec, stopMs: number, until: Promise<unknown>, onEnded?: () => void): Child {
    return new Child({
      name: spec.name,
      log: this.options.log,
      start: () => this.#startIncarnation(spec, stopMs, until),
      ...(onEnded === undefined ? {} : { onEnded }),
    });
  }

  async #startIncarnation(spec: ActorSpec, stopMs: number, until: Promise<unknown>): Promise<Incarnation> {
    if (this.#host === undefined) throw new Error('the actor host is not open');
    const actor = await this.#host.start(spec);
    await Promise.race([until, actor.exited]);
    this.#running.set(spec.name, actor);
    if (!this.#stopping.signal.aborted) this.#begin(actor);
    const ended = actor.exited.then(({ code, signal }) => {
      if (this.#running.get(spec.name) === actor) this.#running.delete(spec.name);
      return signal === null ? `with code ${String(code)}` : `by ${signal}`;
    });
    return { pid: actor.pid, ended, stop: () => actor.stop(stopMs) };
  }

  #begin(actor: HostedActor): void {
    actor.begin();
    this.options.log.info(`${actor.name} runs`, { child: actor.pid });
    // A notifier that is new tells again what state each camera is in.
    if (actor.name === 'notifier')
      for (const state of this.#cameraStates.values()) actor.send({ kind: 'camera-state', state });
  }

  #onReport(name: string, report: ActorReport): void {
    switch (report.kind) {
      case 'frame':
        this.#cameras.get(report.frame.camera)?.worked();
        this.#send('store', report);
        break;
      case 'announce':
        this.#announce(report);
        break;
      case 'announced':
        this.#send('store', report);
        break;
      case 'camera-state':
        this.#cameraStates.set(report.state.camera, report.state);
        this.#send('notifier', report);
        break;
      case 'gap':
        this.#send('notifier', report);
        break;
      case 'heartbeat':
        break;
      case 'delivered':
      case 'dropped':
        break;
      case 'readiness':
        this.#onReadiness(name, report.fault);
        break;
    }
  }

  /** The store must not wait for an answer from a notifier that is not there. */
  #announce(command: Extract<ActorCommand, { kind: 'announce' }>): void {
    if (this.#running.has('notifier')) this.#send('notifier', command);
    else this.#send('store', { kind: 'notifier-lost' });
  }

  #send(name: string, command: ActorCommand): void {
    this.#running.get(name)?.send(command);
  }

  #onReadiness(name: string, fault: FaultRecord | undefined): void {
    if (fault !== undefined) return;
    (name === 'store' ? this.#store : this.#notifier)?.worked();
    if (name === 'notifier') this.#send('store', { kind: 'notifier-ready' });
    if (this.#unready.delete(name) && this.#unready.size === 0) this.options.onReady();
  }
}

function urlOf(
  spec: ServerSpec,
  services: readonly EmbeddedService[],
  name: EmbeddedService['name'],
): string {
  if (spec.kind === 'remote') return spec.url;
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`no ${name} was prepared`);
  return service.url;
}
