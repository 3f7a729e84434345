/** The HTTP server, asked without a network: who is answered, with what, and what it never says. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import Ajv from 'ajv';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { ApiCamera, ApiProblem, ApiState } from '../../../../src/actors/web/api';
import { openApp } from '../../../../src/actors/web/http/app';
import { EventStreams } from '../../../../src/actors/web/http/event-streams';
import type { WebOperations } from '../../../../src/actors/web/http/operations';
import { OwnNames } from '../../../../src/actors/web/http/own-names';
import { Problem } from '../../../../src/actors/web/http/problem';
import { Sessions } from '../../../../src/actors/web/http/sessions';
import type { WebSource } from '../../../../src/actors/web/http/source';
import type { View } from '../../../../src/actors/web/view/daemon-view';
import { keptLog } from '../../../../lab/kept-log';

const TOKEN = 'C4nary-token-of-this-test';
const STATE: ApiState = {
  version: '1.2.3',
  startedAt: 5,
  ready: true,
  problems: [],
  cameras: { delivering: 1, starting: 0, waiting: 0, offline: 0, quarantined: 0, disabled: 0 },
  spool: { waiting: 0, bytes: 0 },
  redis: { ready: true },
  rabbitmq: { ready: false, fault: { code: 'refused', message: 'it refuses' } },
};
const GATE: ApiCamera = {
  id: 'gate',
  tags: [],
  condition: 'delivering',
  since: 7,
  rate: 1,
  wantedRate: 1,
  picture: { capturedAt: 1000, width: 64, height: 48, format: 'jpeg' },
  restarts: 0,
};
const SOURCE: WebSource = {
  view: async () => ({ state: STATE, cameras: [GATE] }) as unknown as View,
  latest: async (id) => {
    if (id !== 'gate') throw new Problem(404, 'no-camera', 'there is none');
    const latest = { etag: '"7-full"', capturedAt: 1000 };
    return { ...latest, make: async () => ({ ...latest, jpeg: Buffer.from('a picture') }) };
  },
  ledger: async ({ buckets }) => ({
    ...{ from: 0, to: 60_000, bucketMs: 60_000 / buckets },
    cameras: { gate: [{ from: 0, periods: 60, confirmed: 58, missed: { 'no-picture': 2 } }] },
  }),
  metrics: async () => '# HELP vigil_up x\n',
};
const refuse = () => Promise.reject(new Problem(404, 'no-camera', 'there is none'));
const OPERATIONS: WebOperations = {
  settings: async (id) => ({ settings: { id }, hidden: [], etag: '"1"' }),
  ...{ edit: refuse, restart: refuse, probe: refuse },
};
const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-page-'));
const PAGE = path.join(DIR, 'page');
mkdirSync(PAGE);
writeFileSync(path.join(PAGE, 'index.html'), '<!doctype html><title>the page</title>');
writeFileSync(path.join(DIR, 'secret.txt'), TOKEN);
writeFileSync(path.join(PAGE, '.hidden'), TOKEN);
after(() => rmSync(DIR, { recursive: true }));

interface Opened {
  readonly app: FastifyInstance;
  readonly lines: ReturnType<typeof keptLog>;
  readonly ask: (url: string, options?: InjectOptions) => Promise<LightMyRequestResponse>;
}

const opened: FastifyInstance[] = [];
after(() => Promise.all(opened.map((app) => app.close())));

async function open(token?: string, changes: Partial<WebSource> = {}, pageDir = PAGE): Promise<Opened> {
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
function problemIn(response: { statusCode: number; headers: object; body: string }): ApiProblem {
  assert.match(
    String((response.headers as Record<string, unknown>)['content-type']),
    /^application\/problem\+json/,
  );
  const problem = JSON.parse(response.body) as ApiProblem;
  assert.equal(problem.status, response.statusCode);
  assert.ok(problem.title.length > 0 && (problem.detail ?? '').length > 0, response.body);
  return problem;
}

describe('the HTTP server', () => {
  it('gives what its OpenAPI document says, on every route', async () => {
    const { ask } = await open();
    const document = (await ask('/api/openapi.json')).json<OpenApi>();
    const asked: readonly [path: string, url: string][] = [
      ['/healthz', '/healthz'],
      ['/readyz', '/readyz'],
      ['/api/state', '/api/state'],
      ['/api/cameras', '/api/cameras'],
      ['/api/cameras/{id}', '/api/cameras/gate'],
      ['/api/ledger', '/api/ledger?since=1000&buckets=1'],
    ];
    const described = Object.entries(document.paths).filter(
      ([, operations]) => operations['get']?.responses['200']?.content?.['application/json'],
    );
    assert.deepEqual(described.map(([route]) => route).sort(), asked.map(([route]) => route).sort());
    for (const [route, url] of asked) {
      const response = await ask(url);
      assert.equal(response.statusCode, 200, response.body);
      const schema = document.paths[route]?.['get']?.responses['200']?.content?.['application/json']?.schema;
      assert.ok(schema !== undefined, route);
      const ajv = new Ajv({ strict: false });
      assert.ok(ajv.validate(schema, response.json()), `${route}: ${ajv.errorsText()}`);
    }
    assert.deepEqual((await ask('/api/state')).json(), STATE);
    assert.deepEqual((await ask('/api/cameras')).json(), [GATE]);
  });

  it('compresses the ledger for clients that take it', async () => {
    const bucket = { from: 0, periods: 60, confirmed: 58, missed: {} };
    const answer = { from: 0, to: 60_000, bucketMs: 1000, cameras: { gate: Array(200).fill(bucket) } };
    const { ask } = await open(undefined, { ledger: async () => answer });
    const inEncoding = (encoding: string) => ask('/api/ledger', { headers: { 'accept-encoding': encoding } });
    for (const encoding of ['gzip', 'br, gzip;q=0.5', 'GZIP']) {
      const { headers, rawPayload } = await inEncoding(encoding);
      assert.equal(headers['content-encoding'], 'gzip', encoding);
      assert.equal(headers['content-length'], String(rawPayload.length));
      assert.deepEqual(JSON.parse(gunzipSync(rawPayload).toString()), answer);
    }
    for (const encoding of ['', 'identity', 'gzip;q=0', 'br', 'gzipped']) {
      const response = await inEncoding(encoding);
      assert.deepEqual([response.headers['content-encoding'], response.json()], [undefined, answer]);
      assert.equal(response.headers['vary'], 'accept-encoding');
    }
  });

  it('lists the cameras that have all of the tags it is asked for', async () => {
    const tagged = (id: string, tags: readonly string[]): ApiCamera => ({ ...GATE, id, tags });
    const cameras = [GATE, tagged('yard', ['north', 'yard']), tagged('hall', ['north'])];
    const { ask } = await open(undefined, {
      view: async () => ({ state: STATE, cameras }) as unknown as View,
    });
    const ids = async (query: string) =>
      (await ask(`/api/cameras${query}`)).json<ApiCamera[]>().map(({ id }) => id);
    assert.deepEqual(await ids(''), ['gate', 'yard', 'hall']);
    assert.deepEqual(await ids('?tag=north'), ['yard', 'hall']);
    assert.deepEqual(await ids('?tag=north&tag=yard'), ['yard']);
    assert.deepEqual(await ids('?tag=south'), []);
    for (const query of ['?tag=', '?tag=a%20b', '?tag=a&tag=%00', `?${'tag=a&'.repeat(17)}`, '?tags=north'])
      assert.equal(problemIn(await ask(`/api/cameras${query}`)).status, 400, query);
  });

  it('describes each operation and each of its parameters in that document', async () => {
    const { ask } = await open();
    const { openapi, paths } = (await ask('/api/openapi.json')).json<OpenApi>();
    assert.match(openapi, /^3\.1\./);
    for (const [route, operations] of Object.entries(paths))
      for (const [method, { summary, responses, parameters = [] }] of Object.entries(operations)) {
        assert.ok((summary ?? '').length > 0, `${method} ${route}`);
        const named = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const inPath = parameters.filter((each) => each.in === 'path');
        assert.deepEqual(
          inPath.map(({ name }) => name),
          named,
          route,
        );
        for (const [status, { description }] of Object.entries(responses))
          assert.ok((description ?? '').length > 0, `${method} ${route} ${status}`);
        for (const [status, { content }] of Object.entries(responses))
          if (Number(status) >= 400)
            assert.deepEqual(Object.keys(content ?? {}), ['application/problem+json']);
      }
  });

  it('answers every error as problem details, and repeats nothing it was sent', async () => {
    const { ask } = await open();
    const asked: readonly [number, string, InjectOptions?][] = [
      [404, '/nothing/C4n'],
      [404, '/api/cameras/none'],
      [400, '/api/cameras/a%20b'],
      [400, '/api/cameras/..%2f..%2fetc'],
      [400, '/api/ledger?buckets=C4n'],
      [400, '/api/ledger?buckets=0'],
      [400, '/api/ledger?since=-1'],
      [400, '/api/ledger?C4n=1'],
      [400, '/api/cameras/gate/latest.jpg?width=C4n'],
      [400, '/api/cameras/gate/latest.jpg?width=99999'],
      [400, '/%'],
      [404, '/api/state', { method: 'DELETE' }],
      [
        400,
        '/sign-in',
        { method: 'POST', headers: { 'content-type': 'application/json' }, payload: '{"C4n' },
      ],
      [400, '/sign-in', { method: 'POST', payload: { C4n: 1 } }],
      [413, '/sign-in', { method: 'POST', payload: { token: 'x'.repeat(70_000) } }],
      [415, '/sign-in', { method: 'POST', headers: { 'content-type': 'text/xml' }, payload: '<a/>' }],
    ];
    for (const [status, url, options] of asked) {
      const response = await ask(url, options);
      assert.equal(response.statusCode, status, `${url}: ${response.body}`);
      problemIn(response);
      assert.doesNotMatch(response.body, /C4n/, url);
    }
  });

  it('says nothing of an internal error, and logs it', async () => {
    const { ask, lines } = await open(undefined, {
      ledger: () => Promise.reject(new Error('C4n /srv/data')),
    });
    const response = await ask('/api/ledger');
    assert.equal(response.statusCode, 500);
    assert.doesNotMatch(response.body, /C4n|srv/);
    assert.match(JSON.stringify(lines), /a request failed/);
  });

  it('is not ready while the daemon has problems, and says which', async () => {
    const problems = ['no camera gives pictures'];
    const { ask } = await open(undefined, {
      view: async () => ({ state: { ...STATE, problems }, cameras: [] }) as unknown as View,
    });
    const response = await ask('/readyz');
    assert.equal(response.statusCode, 503);
    assert.deepEqual(problemIn(response).reasons, problems);
    assert.equal((await ask('/healthz')).statusCode, 200);
  });

  it('gives a picture with its capture time and tag, and 304 to who has it', async () => {
    const { ask } = await open();
    const url = '/api/cameras/gate/latest.jpg?width=320';
    const first = await ask(url);
    assert.deepEqual(
      [first.statusCode, first.headers['content-type'], first.body],
      [200, 'image/jpeg', 'a picture'],
    );
    assert.equal(first.headers['x-captured-at'], '1970-01-01T00:00:01.000Z');
    assert.equal(first.headers['cache-control'], 'private, no-cache');
    const { etag = '' } = first.headers;
    for (const match of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(url, { headers: { 'if-none-match': match } });
      assert.deepEqual([again.statusCode, again.body, again.headers.etag], [304, '', etag]);
    }
    assert.equal((await ask(url, { headers: { 'if-none-match': '"other"' } })).statusCode, 200);
  });

  it('gives the files of the page and nothing beside them', async () => {
    const { ask } = await open();
    const page = await ask('/');
    assert.match(page.body, /the page/);
    const policy = String(page.headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.deepEqual(
      ['x-content-type-options', 'x-frame-options', 'referrer-policy'].map((name) => page.headers[name]),
      ['nosniff', 'DENY', 'no-referrer'],
    );
    for (const url of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e%2fsecret.txt',
      '//secret.txt',
      '/.hidden',
      '/..%5csecret.txt',
      '/%00',
      '/index.html/../../secret.txt',
    ]) {
      const response = await ask(url);
      assert.ok(response.statusCode >= 400 && response.statusCode < 500, `${url}: ${response.statusCode}`);
      assert.ok(!response.body.includes(TOKEN), url);
    }
  });

  it('says in one sentence that the page was not built', async () => {
    const { ask } = await open(undefined, {}, path.join(DIR, 'none'));
    assert.match((await ask('/')).body, /^Vigil runs\. The page has not been built: run npm run build\./);
  });
});

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { description?: string; content?: Readonly<Record<string, { schema: object }>> }>
  >;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

describe('a request by another name', () => {
  const refused = [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil',
    '10.0.0.7',
    '[::2]',
    '0.0.0.0',
    'user@localhost',
    'a b',
  ];
  for (const host of refused)
    it(`is refused: ${JSON.stringify(host)}`, async () => {
      const { ask } = await open();
      for (const url of ['/', '/api/state', '/healthz', '/nothing', '/api/cameras/gate/latest.jpg']) {
        const response = await ask(url, { headers: { host } });
        assert.equal(response.statusCode, 421, `${url}: ${response.body}`);
        assert.equal(problemIn(response).code, 'wrong-host');
      }
    });
  for (const host of [
    'localhost',
    'LOCALHOST:8080',
    '127.0.0.1',
    '127.0.0.1:99',
    '[::1]:8080',
    'cams.example.org',
    'Cams.Example.Org.:443',
  ])
    it(`is answered where the name is ours: ${host}`, async () =>
      assert.equal((await (await open()).ask('/api/state', { headers: { host } })).statusCode, 200));
});

describe('a page of another site', () => {
  const rows: readonly [string, Record<string, string>, number, InjectOptions?][] = [
    ['may not read', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, 403],
    ['may not read from another port', { 'sec-fetch-site': 'same-site' }, 403],
    [
      'may not show pictures',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      403,
    ],
    [
      'may not frame',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      403,
    ],
    ['may not send its origin', { origin: 'https://evil.example' }, 403],
    ['may not hide its origin', { origin: 'null' }, 403],
    [
      'may be the one a link is followed from',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      200,
    ],
    [
      'may not sign in by a form',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      403,
      { method: 'POST', url: '/sign-in', payload: { token: TOKEN } },
    ],
    ['is not our own page', { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8080' }, 200],
    ['is not a program', {}, 200],
  ];
  for (const [what, headers, status, options] of rows)
    it(what, async () => {
      const response = await (await open()).ask('/api/state', { ...options, headers });
      assert.equal(response.statusCode, status, response.body);
      assert.equal(response.headers['access-control-allow-origin'], undefined);
    });
});

describe('a token', () => {
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  it('is asked for on every route but those that say nothing', async () => {
    const { ask } = await open(TOKEN);
    for (const url of [
      '/api/state',
      '/api/cameras',
      '/api/cameras/gate',
      '/api/cameras/gate/latest.jpg',
      '/api/ledger',
      '/api/events',
      '/api/openapi.json',
      '/metrics',
      '/',
      '/nothing',
      '/index.html',
    ]) {
      const response = await ask(url);
      assert.equal(response.statusCode, 401, url);
      assert.equal(problemIn(response).code, 'token-required');
      assert.match(String(response.headers['www-authenticate']), /^Bearer/);
    }
    assert.equal((await ask('/healthz')).statusCode, 200);
    assert.equal((await ask('/sign-in')).statusCode, 200);
    const toPage = await ask('/', { headers: { accept: 'text/html' } });
    assert.deepEqual([toPage.statusCode, toPage.headers.location], [303, '/sign-in']);
  });

  it('opens as a bearer, and only as it is', async () => {
    const { ask } = await open(TOKEN);
    assert.equal((await ask('/api/state', bearer(TOKEN))).statusCode, 200);
    for (const wrong of ['', 'x', TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toLowerCase(), 'undefined'])
      assert.equal((await ask('/api/state', bearer(wrong))).statusCode, 401, wrong);
    assert.equal((await ask('/api/state', { headers: { authorization: `Basic ${TOKEN}` } })).statusCode, 401);
    assert.equal((await ask(`/api/state?token=${TOKEN}`)).statusCode, 401);
  });

  it('is changed for a cookie that scripts and other sites do not get', async () => {
    const { ask } = await open(TOKEN);
    const signedIn = await ask('/sign-in', { method: 'POST', payload: { token: TOKEN } });
    assert.equal(signedIn.statusCode, 204, signedIn.body);
    const cookie = String(signedIn.headers['set-cookie']);
    assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.ok(!cookie.includes(TOKEN));
    const [value = ''] = cookie.split(';');
    assert.equal((await ask('/api/state', { headers: { cookie: value } })).statusCode, 200);
    const [name = '', session = ''] = value.split('=');
    const [until = '', signature = ''] = session.split('.');
    const later = `${name}=${Number(until) + 1}.${signature}`;
    for (const wrong of [later, `${name}=${until}.${'0'.repeat(64)}`, `${name}=`, `x${value}`])
      assert.equal((await ask('/api/state', { headers: { cookie: wrong } })).statusCode, 401, wrong);
  });

  it('is taken from the form of the sign-in page, which leads to the page', async () => {
    const { ask } = await open(TOKEN);
    const form = (token: string) =>
      ask('/sign-in', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ token }).toString(),
      });
    const signedIn = await form(TOKEN);
    assert.deepEqual([signedIn.statusCode, signedIn.headers.location], [303, '/']);
    const wrong = await form('wrong');
    assert.deepEqual([wrong.statusCode, wrong.headers['set-cookie']], [401, undefined]);
    assert.match(wrong.body, /That is not the token/);
  });

  it('cannot be guessed: ten tries a minute', async () => {
    const { ask } = await open(TOKEN);
    const tries: number[] = [];
    for (let i = 0; i < 12; i++)
      tries.push((await ask('/sign-in', { method: 'POST', payload: { token: `wrong ${i}` } })).statusCode);
    assert.deepEqual(tries, [...Array.from({ length: 10 }, () => 401), 429, 429]);
    const right = await ask('/sign-in', { method: 'POST', payload: { token: TOKEN } });
    assert.equal(right.statusCode, 429);
    problemIn(right);
  });

  it('is in no answer, whatever is asked', async () => {
    const { app, ask } = await open(TOKEN);
    const { paths } = (await ask('/api/openapi.json', bearer(TOKEN))).json<OpenApi>();
    for (const route of [...Object.keys(paths), '/', '/sign-in', '/nothing'].filter(
      (each) => each !== '/api/events',
    ))
      for (const method of ['GET', 'POST', 'PUT', 'OPTIONS'] as const)
        for (const options of [{}, bearer(TOKEN)]) {
          const response = await ask(route.replace('{id}', 'gate'), { method, ...options });
          assert.ok(
            !response.body.includes(TOKEN) && !JSON.stringify(response.headers).includes(TOKEN),
            route,
          );
        }
    assert.ok(app.hasRoute({ method: 'GET', url: '/api/events' }));
  });

  it('tells the reasons of readiness to who has it only', async () => {
    const view = async () =>
      ({ state: { ...STATE, problems: ['a reason'] }, cameras: [] }) as unknown as View;
    const { ask } = await open(TOKEN, { view });
    assert.equal(problemIn(await ask('/readyz')).reasons, undefined);
    assert.deepEqual(problemIn(await ask('/readyz', bearer(TOKEN))).reasons, ['a reason']);
  });
});
