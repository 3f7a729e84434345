/** Over HTTP, only the holder of the token changes cameras, and only a few probes run at a time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiEdit, ApiProblem } from '../../../../src/actors/web/view/api';
import type { ProbeOutcome } from '../../../../src/protocol/probe';
import { ANY, CANARY, NEW, NOTHING, openEditable } from '../../../../lab/editable-cameras';
import type { EditableDaemon } from '../../../../lab/editable-daemon';
import { until } from '../../../../lab/until';

describe('cameras behind a token', () => {
  const CHANGES: readonly Parameters<EditableDaemon['ask']>[] = [
    ['PUT', '/api/cameras/yard', { test: 'testsrc2' }, NEW],
    ['PATCH', '/api/cameras/test', { rate: 2 }, ANY],
    ['DELETE', '/api/cameras/test', undefined, ANY],
    ['POST', '/api/cameras/test/restart'],
    ['POST', '/api/cameras/test/disable'],
    ['POST', '/api/cameras/off/enable'],
    ['POST', '/api/probe', { url: 'rtsp://127.0.0.1:1/' }],
  ];
  const FOREIGN: readonly Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ];

  it('are changed only by a client that has it', async (t) => {
    const daemon = await openEditable(t, { token: CANARY });
    for (const [method, url, payload, headers] of CHANGES) {
      for (const authorization of [undefined, 'Bearer wrong']) {
        const given = authorization === undefined ? {} : { authorization };
        const response = await daemon.ask(method, url, payload, { ...headers, ...given });
        assert.equal(response.statusCode, 401, `${method} ${url}`);
      }
    }
    assert.deepEqual([daemon.applied, daemon.restarted], [[], []]);
    const authorization = `Bearer ${CANARY}`;
    const done = await daemon.ask('PATCH', '/api/cameras/test', { rate: 2 }, { ...ANY, authorization });
    assert.equal(done.json<ApiEdit>().applied, true);
  });

  it('are not changed by a page of another site, nor under another name, with and without a token', async (t) => {
    const daemon = await openEditable(t);
    for (const [method, url, payload, headers] of CHANGES) {
      for (const foreign of FOREIGN) {
        const response = await daemon.ask(method, url, payload, { ...headers, ...foreign });
        assert.equal(response.statusCode, 403, `${method} ${url} ${JSON.stringify(foreign)}`);
      }
      const rebound = await daemon.ask(method, url, payload, { ...headers, host: 'evil.example' });
      assert.equal(rebound.statusCode, 421);
      // Requests that a form can send without a preflight.
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
      ]) {
        const form = await daemon.ask(method, url, 'a=b', { ...headers, 'content-type': type });
        assert.equal(form.statusCode, 415, `${method} ${url} ${type}`);
      }
    }
    assert.deepEqual([daemon.applied, daemon.restarted], [[], []]);
  });
});

describe('probes over HTTP', () => {
  it('run one at a time; a few wait, and further requests are asked to come back', async (t) => {
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const probe = async (): Promise<ProbeOutcome> => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return { report: NOTHING };
    };
    const daemon = await openEditable(t, { probe });
    const asked = Array.from({ length: 8 }, () => daemon.ask('POST', '/api/probe', { test: 'testsrc2' }));
    // None of the accepted ones ends before all have arrived.
    const refused: Awaited<(typeof asked)[number]>[] = [];
    const settled = asked.map(async (answer) => refused.push(await answer));
    await until('three are refused', () => refused.length === 3);
    for (const answer of refused) {
      assert.deepEqual([answer.statusCode, answer.json<ApiProblem>().code], [429, 'too-many-probes']);
      assert.equal(answer.headers['retry-after'], '60');
    }
    const ending = setInterval(() => ends.shift()?.(), 5);
    const statuses = (await Promise.all(asked)).map(({ statusCode }) => statusCode).sort();
    clearInterval(ending);
    await Promise.all(settled);
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    assert.equal(most, 1);
  });
});
