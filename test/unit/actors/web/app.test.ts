/** What the HTTP server answers on its routes: data, pictures, files, problems. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import Ajv from 'ajv';
import type { InjectOptions } from 'fastify';
import type { ApiCamera } from '../../../../src/actors/web/view/api';
import type { View } from '../../../../src/actors/web/view/daemon-view';
import { DIR, GATE, open, openPlain, problemIn, STATE, TOKEN, type OpenApi } from '../../../../lab/web-app';

describe('the HTTP server', () => {
  it('returns what its OpenAPI document says, on every route', async () => {
    const { ask } = await openPlain();
    const document = (await ask('/api/openapi.json')).json<OpenApi>();
    const asked: readonly [path: string, url: string][] = [
      ['/healthz', '/healthz'],
      ['/readyz', '/readyz'],
      ['/api/state', '/api/state'],
      ['/api/cameras', '/api/cameras'],
      ['/api/cameras/{id}', '/api/cameras/gate'],
      ['/api/cameras/{id}/crashes', '/api/cameras/gate/crashes'],
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

  it('compresses the ledger for clients that accept it', async () => {
    const bucket = { from: 0, periods: 60, confirmed: 58, missed: {} };
    const answer = { from: 0, to: 60_000, bucketMs: 1000, cameras: { gate: Array(200).fill(bucket) } };
    const { ask } = await openPlain({ ledger: async () => answer });
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

  it('lists the cameras that have all the requested tags', async () => {
    const tagged = (id: string, tags: readonly string[]): ApiCamera => ({ ...GATE, id, tags });
    const cameras = [GATE, tagged('yard', ['north', 'yard']), tagged('hall', ['north'])];
    const { ask } = await openPlain({
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

  it('of a fleet node does not call a camera unconfigured that another node may run', async () => {
    const fleet = { fleet: 'site', node: 'a', state: 'member' };
    const { ask } = await openPlain({
      view: async () => ({ state: STATE, cameras: [GATE], status: { fleet } }) as unknown as View,
    });
    const { status, detail } = problemIn(await ask('/api/cameras/yard'));
    assert.equal(status, 404);
    assert.match(
      detail ?? '',
      /^node "a" does not run camera "yard" now; `status --fleet` says which node does/,
    );
  });

  it('has an OpenAPI document that a validator of the specification takes', async () => {
    const { ask } = await openPlain();
    const { Validator } = await import('@seriousme/openapi-schema-validator');
    const document = (await ask('/api/openapi.json')).json<OpenApi>();
    const validated = async (specification: object) =>
      new Validator().validate(specification as Record<string, unknown>);
    assert.deepEqual(await validated(document), { valid: true });
    // A validator that never finds anything would prove nothing.
    const broken = { ...document, paths: { '/healthz': { get: { responses: { 200: {} } } } } };
    assert.equal((await validated(broken)).valid, false);
  });

  it('describes each operation and each of its parameters in that document', async () => {
    const { ask } = await openPlain();
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

  it('answers every error with problem details, and repeats nothing from the request', async () => {
    const { ask } = await openPlain();
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

  it('reveals nothing about an internal error, and logs it', async () => {
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
    const { ask } = await openPlain({
      view: async () => ({ state: { ...STATE, problems }, cameras: [] }) as unknown as View,
    });
    const response = await ask('/readyz');
    assert.equal(response.statusCode, 503);
    assert.deepEqual(problemIn(response).reasons, problems);
    assert.equal((await ask('/healthz')).statusCode, 200);
  });

  it('returns a picture with its capture time and tag, and 304 to a client that has it', async () => {
    const { ask } = await openPlain();
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

  it('serves the files of the page and nothing else', async () => {
    const { ask } = await openPlain();
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

  it('reports in one sentence that the page was not built', async () => {
    const { ask } = await open(undefined, {}, path.join(DIR, 'none'));
    assert.match((await ask('/')).body, /^Vigil runs\. The page has not been built: run npm run build\./);
  });
});
