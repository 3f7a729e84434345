/**
 * How `status` and `plan` ask the running daemon: HTTP over a Unix socket in the data directory, which only the owner
 * may open. `GET /status` answers with a {@link DaemonStatus}, `POST /plan` ({@link PlanRequest}) with a {@link PlanAnswer}.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import { ConfigurationError, type ConfigFault, type Refusal } from '../config/faults';
import type { Log } from '../log/log';
import { withSocketPath } from '../process/local-socket';
import type { DeliveryStatus } from './health';
import type { ConfigurationState } from './live-configuration';
import type { Plan } from './plan';
import type { ChildStatus } from './status';

export const CONTROL_SOCKET = 'vigil.sock';
/** A configuration of 10,000 cameras has 2 MB. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

export interface DaemonStatus {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Frames are stored and announced. */
  readonly ready: boolean;
  readonly configuration: ConfigurationState;
  readonly delivery: DeliveryStatus;
  /** Why the daemon is not healthy, a sentence each; empty when it is. */
  readonly problems: readonly string[];
  /** Why no time can be right, where this machine's clock has not been set. */
  readonly clockUnset?: string;
  readonly children: readonly ChildStatus[];
}

export interface PlanRequest {
  readonly file: string;
  readonly text: string;
}

export type PlanAnswer =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | {
      readonly kind: 'refused';
      readonly file: string;
      readonly refusal: Refusal;
      readonly faults: readonly ConfigFault[];
    };

export interface Control {
  status(): DaemonStatus;
  /** @throws ConfigurationError */
  plan(request: PlanRequest): Plan;
}

export class ControlSocket {
  private constructor(
    private readonly server: Server,
    private readonly dir: string,
  ) {}

  /** Listens in `dir`, which the caller has locked: a socket found there is of a daemon that was killed. */
  static async open(dir: string, control: Control, log: Log): Promise<ControlSocket> {
    rmSync(path.join(dir, CONTROL_SOCKET), { force: true });
    const server = createServer((request, response) => {
      answer(request, response, control).catch((error: unknown) => {
        log.warn(`a question could not be answered: ${(error as Error).message}`);
        response.writeHead(400).end(JSON.stringify({ message: (error as Error).message }));
      });
    });
    await withSocketPath(dir, CONTROL_SOCKET, async (socketPath) => {
      await listen(server, socketPath);
      chmodSync(socketPath, 0o600);
    });
    return new ControlSocket(server, dir);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(path.join(this.dir, CONTROL_SOCKET), { force: true });
  }
}

async function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Between its making, within the call, and its chmod nobody else may open it. Other files keep their rights.
    const before = process.umask(0o177);
    try {
      server.listen(socketPath, resolve);
    } finally {
      process.umask(before);
    }
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, control: Control): Promise<void> {
  const asked = `${request.method ?? ''} ${request.url ?? ''}`;
  if (asked === 'GET /status') reply(response, control.status());
  else if (asked === 'POST /plan')
    reply(response, planAnswer(control, JSON.parse(await bodyOf(request)) as PlanRequest));
  else response.writeHead(404).end(JSON.stringify({ message: `there is no ${asked}` }));
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

function reply(response: ServerResponse, value: DaemonStatus | PlanAnswer): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES)
      throw new Error(`a question of more than ${String(MAX_REQUEST_BYTES)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
