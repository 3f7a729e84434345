/** Requests under another host name, or from the page of another site: none is answered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InjectOptions } from 'fastify';
import { openPlain, problemIn, TOKEN } from '../../../../lab/web-app';

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
      const { ask } = await openPlain();
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
    it(`is answered if the name is ours: ${host}`, async () =>
      assert.equal((await (await openPlain()).ask('/api/state', { headers: { host } })).statusCode, 200));
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
      const response = await (await openPlain()).ask('/api/state', { ...options, headers });
      assert.equal(response.statusCode, status, response.body);
      assert.equal(response.headers['access-control-allow-origin'], undefined);
    });
});
