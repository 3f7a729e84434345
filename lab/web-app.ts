/** The HTTP server of the web actor, asked without a network. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { ApiCamera, ApiProblem, ApiState } from '../src/actors/web/view/api';
import { openApp } from '../src/actors/web/http/app';
import { EventStreams } from '../src/actors/web/http/event-streams';
import type { WebOperations } from '../src/actors/web/http/operations';
import { OwnNames } from '../src/actors/web/http/own-names';
import { Problem } from '../src/actors/web/http/problem';
import { Sessions } from '../src/actors/web/http/sessions';
import type { WebSource } from '../src/actors/web/http/source';
import type { View } from '../src/actors/web/view/daemon-view';
import { keptLog } from './kept-log';

export const TOKEN = 'C4nary-token-of-this-test';
export const STATE: ApiState = {
  version: '1.2.3',
  startedAt: 5,
  ready: true,
  problems: [],
  cameras: { delivering: 1, starting: 0, waiting: 0, offline: 0, quarantined: 0, disabled: 0 },
  spool: { waiting: 0, bytes: 0 },
  redis: { ready: true },
  rabbitmq: { ready: false, fault: { code: 'refused', message: 'it refuses' } },
  queue: { name: 'vigil.detection', messages: 5, limit: 100_000, consumers: 2 },
};
export const GATE: ApiCamera = {
  id: 'gate',
  tags: [],
  condition: 'delivering',
  since: 7,
  rate: 1,
  wantedRate: 1,
  picture: { capturedAt: 1000, width: 64, height: 48, format: 'jpeg' },
  restarts: 0,
};
export const SOURCE: WebSource = {
  view: async () => ({ state: STATE, cameras: [GATE], status: {} }) as unknown as View,
  latest: async (id) => {
    if (id !== 'gate') throw new Problem(404, 'no-camera', 'there is none');
    const latest = { etag: '"7-full"', capturedAt: 1000 };
    return { ...latest, make: async () => ({ ...latest, jpeg: Buffer.from('a picture') }) };
  },
  ledger: async ({ buckets }) => ({
    ...{ from: 0, to: 60_000, bucketMs: 60_000 / buckets },
    cameras: { gate: [{ from: 0, periods: 60, confirmed: 58, missed: { 'no-picture': 2 } }] },
  }),
  crashes: async () => [
    {
      at: 9,
      startedAt: 8,
      code: 'crashed',
      message: 'ended by SIGKILL',
      lastLines: ['its last line'],
      ffmpeg: [],
    },
  ],
  metrics: async () => '# HELP vigil_up x\n',
};
const refuse = () => Promise.reject(new Problem(404, 'no-camera', 'there is none'));
const OPERATIONS: WebOperations = {
  settings: async (id) => ({ settings: { id }, hidden: [], etag: '"1"' }),
  ...{ edit: refuse, restart: refuse, probe: refuse },
};
export const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-page-'));
export const PAGE = path.join(DIR, 'page');
mkdirSync(PAGE);
writeFileSync(path.join(PAGE, 'index.html'), '<!doctype html><title>the page</title>');
writeFileSync(path.join(DIR, 'secret.txt'), TOKEN);
writeFileSync(path.join(PAGE, '.hidden'), TOKEN);
after(() => rmSync(DIR, { recursive: true }));

export interface Opened {
  readonly app: FastifyInstance;
  readonly lines: ReturnType<typeof keptLog>;
  readonly ask: (url: string, options?: InjectOptions) => Promise<LightMyRequestResponse>;
}

const opened: FastifyInstance[] = [];
after(() => Promise.all(opened.map((app) => app.close())));

let plain: Promise<Opened> | undefined;
let plainSource: Partial<WebSource> = {};

/**
 * Its server without a token, for tests that leave nothing in it: to make one takes a tenth of a second.
 * @param changes of what it serves, until the next test asks for it
 */
export function openPlain(changes: Partial<WebSource> = {}): Promise<Opened> {
  plainSource = changes;
  return (plain ??= open(undefined, {
    view: () => (plainSource.view ?? SOURCE.view)(),
    ledger: (question) => (plainSource.ledger ?? SOURCE.ledger)(question),
  }));
}

export async function open(
  token?: string,
  changes: Partial<WebSource> = {},
  pageDir = PAGE,
): Promise<Opened> {
  const source = { ...SOURCE, ...changes };
  const lines = keptLog();
  const app = await openApp({
    source,
    operations: OPERATIONS,
    events: new EventStreams(() => source.view()),
    names: new OwnNames('127.0.0.1', ['cams.example.org'], () => ['10.0.0.7']),
    sessions: new Sessions(token),
    pageDir,
    version: '1.2.3',
    log: lines,
  });
  opened.push(app);
  const ask: Opened['ask'] = (url, options = {}) => {
    const { headers, ...more } = options;
    return app.inject({
      method: 'GET',
      url,
      ...more,
      headers: { host: '127.0.0.1:8080', ...headers },
    } as InjectOptions);
  };
  return { app, lines, ask };
}

/** That it is one, with its fields. */
export function problemIn(response: { statusCode: number; headers: object; body: string }): ApiProblem {
  assert.match(
    String((response.headers as Record<string, unknown>)['content-type']),
    /^application\/problem\+json/,
  );
  const problem = JSON.parse(response.body) as ApiProblem;
  assert.equal(problem.status, response.statusCode);
  assert.ok(problem.title.length > 0 && (problem.detail ?? '').length > 0, response.body);
  return problem;
}

/** What is read here of an OpenAPI document. */
interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { description?: string; content?: Readonly<Record<string, { schema: object }>> }>
  >;
}
export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
