/** The HTTP server over a control socket and a configuration file, as the daemon has them, and a supervisor that starts nothing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { ApiCamera, ApiState } from '../src/actors/web/view/api';
import { DaemonOperations } from '../src/actors/web/daemon-operations';
import { openApp } from '../src/actors/web/http/app';
import { EventStreams } from '../src/actors/web/http/event-streams';
import { OwnNames } from '../src/actors/web/http/own-names';
import { Sessions } from '../src/actors/web/http/sessions';
import type { WebSource } from '../src/actors/web/http/source';
import type { View } from '../src/actors/web/view/daemon-view';
import { parseTopology } from '../src/config/load';
import type { Topology } from '../src/config/topology';
import { ControlSocket, type Control } from '../src/control/server';
import type { ProbeOutcome, ProbeQuestion } from '../src/protocol/probe';
import { LiveConfiguration } from '../src/supervisor/live-configuration';
import { Operations } from '../src/supervisor/operations';
import { Prober } from '../src/supervisor/prober';
import { keptLog } from './kept-log';

export interface EditableOptions {
  readonly config: unknown;
  readonly environment?: NodeJS.ProcessEnv;
  readonly token?: string;
  readonly probe?: (question: ProbeQuestion) => Promise<ProbeOutcome>;
}

export class EditableDaemon {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'vigil-editable-'));
  readonly file = path.join(this.dir, 'actors.json');
  readonly log = keptLog();
  readonly restarted: string[] = [];
  /** Cameras that run, after each edit. */
  readonly applied: string[][] = [];
  #topology: Topology;
  #app: FastifyInstance | undefined;
  #socket: ControlSocket | undefined;
  readonly #watching = new AbortController();

  private constructor(private readonly options: EditableOptions) {
    writeFileSync(this.file, `${JSON.stringify(options.config, null, 2)}\n`);
    this.#topology = parseTopology(this.text, this.file, options.environment ?? {});
  }

  static async open(options: EditableOptions): Promise<EditableDaemon> {
    const daemon = new EditableDaemon(options);
    await daemon.#open();
    return daemon;
  }

  get text(): string {
    return readFileSync(this.file, 'utf8');
  }

  get cameras(): Record<string, unknown>[] {
    return (JSON.parse(this.text) as { cameras: Record<string, unknown>[] }).cameras;
  }

  /** A request without a network. */
  async ask(
    method: 'GET' | 'PUT' | 'PATCH' | 'DELETE' | 'POST',
    url: string,
    payload?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LightMyRequestResponse> {
    const options = { method, url, headers: { host: '127.0.0.1:8080', ...headers } };
    const body = payload === undefined ? {} : { payload };
    if (this.#app === undefined) throw new Error('closed');
    return this.#app.inject({ ...options, ...body } as InjectOptions);
  }

  async close(): Promise<void> {
    this.#watching.abort();
    await this.#app?.close();
    await this.#socket?.close();
    rmSync(this.dir, { recursive: true });
  }

  async #open(): Promise<void> {
    const { environment = {}, token, probe } = this.options;
    const plan = { start: ['camera:new'], stop: [], restart: [], adjust: [], leave: [] };
    const configuration = new LiveConfiguration({
      ...{ file: this.file, text: this.text, environment, log: this.log, onTaken: () => undefined },
      missing: () => [],
      supervisor: {
        plan: () => ({ plan, refused: [] }),
        claim: async () => undefined,
        apply: async (wanted) => {
          this.#topology = wanted;
          this.applied.push(wanted.cameras.map(({ id }) => id));
        },
        behind: 0,
      },
    });
    void configuration.watch(this.#watching.signal);
    const known = () => {
      const running = new Set(this.#topology.cameras.map(({ id }) => id));
      return this.#topology.cameraIds.map((id) => ({ id, enabled: running.has(id) }));
    };
    const supervisor = {
      get cameras() {
        return known();
      },
      restart: async (id: string) => this.restarted.push(id) > 0,
    };
    const operations = new Operations(configuration, supervisor, this.log, new Prober(probe));
    this.#socket = await ControlSocket.open(this.dir, { operations } as unknown as Control, this.log);
    const source = {
      view: async () =>
        ({
          state: {} as ApiState,
          cameras: known().map(({ id, enabled }) => cameraOf(id, enabled)),
          status: {},
        }) as unknown as View,
    } as WebSource;
    this.#app = await openApp({
      ...{
        source,
        operations: new DaemonOperations(this.dir),
        events: new EventStreams(() => source.view()),
      },
      ...{ names: new OwnNames('127.0.0.1', []), sessions: new Sessions(token), version: '1', log: this.log },
      pageDir: path.join(this.dir, 'none'),
    });
  }
}

function cameraOf(id: string, enabled: boolean): ApiCamera {
  const condition = enabled ? 'delivering' : 'disabled';
  return { id, tags: [], condition, since: 1, rate: 1, wantedRate: 1, restarts: 0 };
}
