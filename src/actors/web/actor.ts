/** The web actor: serves the page and the API. Frames do not pass through it and are delivered without it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { isLoopback } from '../../config/http-rules';
import { sleep } from '../../clock/sleep';
import { askDaemon } from '../../control/client';
import type { DaemonStatus } from '../../control/protocol';
import { RecurringFault } from '../../fault/recurring';
import type { FaultRecord } from '../../fault/fault';
import type { Actor, ActorContext } from '../../protocol/actor';
import type { WebParameters } from '../../protocol/messages';
import type { Progress } from '../../protocol/progress';
import type { Figures } from '../../supervisor/figures';
import type { ConfiguredCamera } from '../../supervisor/status';
import { PACKAGE_DIR, packageVersion } from '../../os/own-package';
import { BLACK_BOX } from '../../supervisor/crash-files';
import { DaemonOperations } from './daemon-operations';
import { DaemonSource } from './daemon-source';
import { openApp } from './http/app';
import { EventStreams } from './http/event-streams';
import { listenNear, urlOf } from './http/listen';
import { OwnNames } from './http/own-names';
import { Sessions } from './http/sessions';
import { LedgerView } from './ledger/ledger-view';
import { Gallery } from './pictures/gallery';
import { DaemonView } from './view/daemon-view';

/** Milliseconds until an address that could not be listened on is tried again. */
const RETRY_MS = 5000;
/** Shorter ones can be guessed. */
const LONG_TOKEN = 16;

export default function startWeb(context: ActorContext<WebParameters>): Actor {
  const web = new WebActor(context);
  const ended = web.run();
  return {
    receive: () => undefined,
    progress: () => web.progress(),
    stop: async () => {
      await web.stop();
      await ended;
    },
  };
}

class WebActor {
  readonly #stopping = new AbortController();
  readonly #faults: RecurringFault;
  readonly #source: DaemonSource;
  readonly #events: EventStreams;
  readonly #version = packageVersion();
  #app: FastifyInstance | undefined;
  #url: string | undefined;
  #fault: FaultRecord | undefined;
  #requests = 0;

  constructor(private readonly context: ActorContext<WebParameters>) {
    const { dataDir, newestDir } = context.parameters;
    this.#faults = new RecurringFault(context.log);
    const view = new DaemonView(
      {
        status: async () => (await askDaemon(dataDir, '/status')) as DaemonStatus,
        cameras: async () => (await askDaemon(dataDir, '/cameras')) as ConfiguredCamera[],
      },
      this.#version,
    );
    const gallery = new Gallery(newestDir, () => context.parameters.ffmpeg);
    const ledger = new LedgerView(path.join(dataDir, 'ledger'));
    const figures = async () => (await askDaemon(dataDir, '/figures')) as Figures;
    const crashes = path.join(dataDir, BLACK_BOX);
    this.#source = new DaemonSource(
      ...([view, gallery, ledger, crashes, figures] as const),
      () => context.parameters.metricsTags,
    );
    this.#events = new EventStreams(() => this.#source.view());
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    this.#warn();
    while (!signal.aborted && this.#url === undefined) {
      try {
        await this.#serve();
      } catch (error) {
        this.#fail(error as NodeJS.ErrnoException);
        await sleep(RETRY_MS, signal);
      }
    }
  }

  progress(): Progress {
    return {
      done: this.#requests,
      ...(this.#fault === undefined ? {} : { fault: this.#fault }),
      facts: {
        ...(this.#url === undefined ? {} : { url: this.#url }),
        requests: this.#requests,
        viewers: this.#events.count,
      },
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#events.close();
    const app = this.#app;
    if (app === undefined) return;
    app.server.closeAllConnections();
    app.server.close();
    await app.close();
  }

  async #serve(): Promise<void> {
    const { port, host, names, token, tls, dataDir } = this.context.parameters;
    this.#app ??= await openApp({
      source: this.#source,
      operations: new DaemonOperations(dataDir),
      events: this.#events,
      names: new OwnNames(host, names),
      sessions: new Sessions(token),
      ...(tls === undefined
        ? {}
        : { certificate: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } }),
      pageDir: path.join(PACKAGE_DIR, 'dist/page'),
      version: this.#version,
      log: this.context.log,
    });
    const { server } = this.#app;
    const taken = await listenNear(server, port, host, dataDir);
    if (this.#stopping.signal.aborted) {
      server.close();
      return;
    }
    server.on('request', () => this.#requests++);
    if (taken !== port)
      this.context.log.warn(`port ${port} of ${host} is in use; the page and the API are at port ${taken}`, {
        code: 'port-in-use',
      });
    this.#url = urlOf(host, taken, tls !== undefined);
    this.#fault = undefined;
    this.#faults.clear('the page and the API are served again');
    this.context.report({ kind: 'serving', url: this.#url });
    this.context.report({ kind: 'readiness' });
  }

  #fail({ code = 'unknown error', message }: NodeJS.ErrnoException): void {
    const { port, host } = this.context.parameters;
    const why = WHY[code] ?? `${message}; correct "http" in the configuration`;
    this.#fault = {
      code: 'http-listen',
      message: `the page and the API cannot be served at ${host} port ${port}: ${why}`,
    };
    this.#faults.report(this.#fault);
  }

  /** Warnings for an operator who has made the page reachable from other machines. */
  #warn(): void {
    const { host, token, tls } = this.context.parameters;
    const { log } = this.context;
    if (!isLoopback(host))
      log.info(`the page and the API are open to everybody who reaches ${host} and has the token`);
    if (!isLoopback(host) && tls === undefined)
      log.warn(
        `pictures and the token pass ${host} unencrypted; set "cert" and "key" in "http", or put a proxy with TLS before it (docs/web.md)`,
        { code: 'http-unencrypted' },
      );
    if (token !== undefined && token.length < LONG_TOKEN)
      log.warn(
        `"http.token" has fewer than ${LONG_TOKEN} characters and can be guessed; make one with openssl rand -hex 24`,
        { code: 'http-weak-token' },
      );
  }
}

const WHY: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine has no such address (EADDRNOTAVAIL); correct "host" in "http"',
  ENOTFOUND: 'there is no host of that name (ENOTFOUND); correct "host" in "http"',
  EACCES:
    'this user may not use that port (EACCES); take one from 1024 up, or allow it with net.ipv4.ip_unprivileged_port_start',
};
