/**
 * How commands and the web actor ask the running daemon: HTTP over a Unix socket in the data directory, which only the owner
 * may open. `GET /status` answers with a {@link DaemonStatus}, `GET /cameras` with each {@link ConfiguredCamera},
 * `GET /figures` with {@link Figures}, `GET /queues` with a {@link QueuesAnswer}, `POST /plan` ({@link PlanRequest}) with a {@link PlanAnswer},
 * `GET /fleet` with `{ fleet: FleetStatus }`, `POST /drain` with a {@link DrainAnswer}.
 * `POST /logs` ({@link LogRequest}) answers with lines of the log, or {@link NoSuchLog}.
 * What operators change: `POST /edit` ({@link OperatorEdit}), `/camera`, `/restart` ({@link RestartRequest}) and `/probe`
 * ({@link ProbeRequest}), each answered by {@link Answered}.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import type { QueuesAnswer } from '../connections/bound-queues';
import { ConfigurationError } from '../config/faults';
import type { FleetStatus } from '../fleet/status';
import type { Log } from '../log/log';
import { boundedText } from '../os/bounded-text';
import { withSocketPath } from '../os/local-socket';
import { ExitFault, Fault } from '../fault/fault';
import { LogStreams, type LogSource } from './logs';
import {
  CONTROL_SOCKET,
  type Answered,
  type CameraSettings,
  type DaemonStatus,
  type DrainAnswer,
  type LogRequest,
  type PlanAnswer,
  type PlanRequest,
} from './protocol';
import { EditFault } from '../config/edit/fault';
import type { ProbeOutcome } from '../protocol/probe';
import type { EditOutcome, OperatorEdit, ProbeRequest, RestartRequest } from '../supervisor/operations';
import type { Figures } from '../supervisor/figures';
import type { Plan } from '../supervisor/plan';
import type { ConfiguredCamera } from '../supervisor/status';

/** A configuration of 10,000 cameras takes 2 MB. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

export interface Control {
  status(): DaemonStatus;
  cameras(): readonly ConfiguredCamera[];
  figures(): Figures;
  /** Queries the broker, which may take seconds. */
  queues(): Promise<QueuesAnswer>;
  /** @throws ConfigurationError */
  plan(request: PlanRequest): Plan;
  readonly operations: {
    edit(request: OperatorEdit): Promise<EditOutcome>;
    camera(id: string): Promise<CameraSettings>;
    restart(request: RestartRequest): void;
    probe(request: ProbeRequest): Promise<ProbeOutcome>;
  };
  readonly logs: LogSource;
  /** Absent for a daemon outside a fleet. */
  readonly fleet?: {
    status(): FleetStatus;
    /** Begins to give all cameras away, and returns their number; the daemon ends afterwards. */
    drain(): number;
  };
}

export class ControlSocket {
  private constructor(
    private readonly server: Server,
    private readonly dir: string,
    private readonly logs: LogStreams,
  ) {}

  /**
   * Listens in `dir`, which the caller has locked: a socket found there was left by a daemon that was killed.
   * @throws ExitFault `data-directory` if the socket cannot be created
   */
  static async open(dir: string, control: Control, log: Log): Promise<ControlSocket> {
    const logs = new LogStreams(control.logs);
    const server = createServer((request, response) => {
      answer(request, response, control, logs).catch((error: unknown) => {
        log.warn(`control request failed: ${(error as Error).message}`);
        response.writeHead(400).end(JSON.stringify({ message: (error as Error).message }));
      });
    });
    try {
      rmSync(path.join(dir, CONTROL_SOCKET), { force: true });
      await withSocketPath(dir, CONTROL_SOCKET, async (socketPath) => {
        await listen(server, socketPath);
        chmodSync(socketPath, 0o600);
      });
    } catch (cause) {
      throw cannotListen(path.join(dir, CONTROL_SOCKET), cause as NodeJS.ErrnoException);
    }
    return new ControlSocket(server, dir, logs);
  }

  async close(): Promise<void> {
    await this.logs.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(path.join(this.dir, CONTROL_SOCKET), { force: true });
  }
}

function cannotListen(file: string, cause: NodeJS.ErrnoException): ExitFault {
  const { code = 'unknown error' } = cause;
  return new ExitFault(
    'data-directory',
    `the control socket ${file} cannot be created (${code}); remove what is in its place, or give the daemon another --data-dir`,
    { cause },
  );
}

async function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // No other user may open the socket between its creation in this call and its chmod. Other files keep their modes.
    const before = process.umask(0o177);
    try {
      server.listen(socketPath, resolve);
    } finally {
      process.umask(before);
    }
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  control: Control,
  logs: LogStreams,
): Promise<void> {
  const asked = `${request.method ?? ''} ${request.url ?? ''}`;
  if (asked === 'GET /status') reply(response, control.status());
  else if (asked === 'GET /cameras') reply(response, control.cameras());
  else if (asked === 'GET /figures') reply(response, control.figures());
  else if (asked === 'GET /queues') reply(response, await control.queues());
  else if (asked === 'GET /fleet') reply(response, { fleet: control.fleet?.status() });
  else if (asked === 'POST /drain') reply(response, drainAnswer(control));
  else if (asked === 'POST /plan') reply(response, planAnswer(control, await bodyOf<PlanRequest>(request)));
  else if (asked === 'POST /logs') logs.answer(response, await bodyOf<LogRequest>(request));
  else if (asked === 'POST /edit') {
    const edit = await bodyOf<OperatorEdit>(request);
    reply(response, await answered(() => control.operations.edit(edit)));
  } else if (asked === 'POST /camera') {
    const { camera } = await bodyOf<{ readonly camera: string }>(request);
    reply(response, await answered(() => control.operations.camera(camera)));
  } else if (asked === 'POST /restart') {
    const restart = await bodyOf<RestartRequest>(request);
    reply(response, await answered(async () => (control.operations.restart(restart), null)));
  } else if (asked === 'POST /probe') {
    const probe = await bodyOf<ProbeRequest>(request);
    reply(response, await answered(() => control.operations.probe(probe)));
  } else response.writeHead(404).end(JSON.stringify({ message: `there is no ${asked}` }));
}

async function bodyOf<T>(request: IncomingMessage): Promise<T> {
  return JSON.parse(await boundedText(request, MAX_REQUEST_BYTES, 'a request')) as T;
}

/** @throws any error that is a bug */
async function answered<T>(act: () => Promise<T>): Promise<Answered<T>> {
  try {
    return { kind: 'done', outcome: await act() };
  } catch (error) {
    if (!(error instanceof EditFault || error instanceof Fault)) throw error;
    const { code, message } = error;
    return { kind: 'refused', code, message, faults: error instanceof EditFault ? error.faults : [] };
  }
}

function drainAnswer({ fleet }: Control): DrainAnswer {
  return fleet === undefined ? { kind: 'alone' } : { kind: 'draining', cameras: fleet.drain() };
}

function planAnswer(control: Control, request: PlanRequest): PlanAnswer {
  try {
    return { kind: 'plan', plan: control.plan(request) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { file, refusal, faults } = error;
    return { kind: 'refused', file, refusal, faults };
  }
}

type Answer =
  | DaemonStatus
  | readonly ConfiguredCamera[]
  | Figures
  | QueuesAnswer
  | PlanAnswer
  | DrainAnswer
  | { readonly fleet: FleetStatus | undefined }
  | Answered<unknown>;

function reply(response: ServerResponse, value: Answer): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
