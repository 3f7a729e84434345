/** The token: where it is required, how it is passed, and what never shows it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { View } from '../../../../src/actors/web/view/daemon-view';
import { open, problemIn, STATE, TOKEN, type OpenApi, type Opened } from '../../../../lab/web-app';

describe('a token', () => {
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  let shared: Promise<Opened> | undefined;
  /** One server for tests that leave nothing in it but a sign-in or two. */
  const guarded = () => (shared ??= open(TOKEN));

  it('is required on every route except those that reveal nothing', async () => {
    const { ask } = await guarded();
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

  it('is accepted as a bearer token, and only unaltered', async () => {
    const { ask } = await guarded();
    assert.equal((await ask('/api/state', bearer(TOKEN))).statusCode, 200);
    for (const wrong of ['', 'x', TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toLowerCase(), 'undefined'])
      assert.equal((await ask('/api/state', bearer(wrong))).statusCode, 401, wrong);
    assert.equal((await ask('/api/state', { headers: { authorization: `Basic ${TOKEN}` } })).statusCode, 401);
    assert.equal((await ask(`/api/state?token=${TOKEN}`)).statusCode, 401);
  });

  it('is exchanged for a cookie that scripts and other sites do not get', async () => {
    const { ask } = await guarded();
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

  it('is taken from the form of the sign-in page, which leads to the requested page', async () => {
    const { ask } = await guarded();
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

  it('is in no answer, whatever is requested', async () => {
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

  it('reveals the reasons of readiness only to its holder', async () => {
    const view = async () =>
      ({ state: { ...STATE, problems: ['a reason'] }, cameras: [] }) as unknown as View;
    const { ask } = await open(TOKEN, { view });
    assert.equal(problemIn(await ask('/readyz')).reasons, undefined);
    assert.deepEqual(problemIn(await ask('/readyz', bearer(TOKEN))).reasons, ['a reason']);
  });
});
