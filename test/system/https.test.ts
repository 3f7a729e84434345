/** The web actor over TLS: real clients, and certificates that cannot be used. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { Certificates } from '../../lab/certificates';
import { newDir, startDaemon, type Daemon } from '../../lab/daemon';
import { newNamespace, remoteServers } from '../../lab/events';
import { freePort } from '../../lab/free-port';
import { waitUntil } from '../../lab/process';
import { served } from '../../lab/served';

const TOKEN = 'T0ken-0f-th1s-test';

interface Answer {
  readonly status: number | undefined;
  readonly cookie: string;
}

describe('the web actor over TLS', () => {
  const pems = newDir();
  const certificates = new Certificates(pems);
  const pem = (name: string) => certificates.at(name);
  let config: Record<string, unknown>;
  let daemon: Daemon;
  let base = '';

  const ask = (route: string, headers = {}, body?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = {
        ca: readFileSync(pem('own.pem')),
        method: body === undefined ? 'GET' : 'POST',
        headers,
      };
      const asked = request(new URL(route, base), options, (response) => {
        const cookie = String(response.headers['set-cookie']);
        response.resume().once('end', () => resolve({ status: response.statusCode, cookie }));
      });
      asked.once('error', reject).end(body);
    });

  before(async () => {
    certificates.make('own');
    certificates.make('other');
    const http = { port: await freePort(60_000), token: TOKEN, cert: pem('own.pem'), key: pem('own.key') };
    config = {
      namespace: newNamespace(),
      ...remoteServers(),
      http,
      cameras: [{ id: 'one', test: 'testsrc2', width: 64 }],
    };
    daemon = startDaemon({ config });
    base = await served(daemon);
  });
  after(() => daemon.stop());

  test('answers a client that verifies its certificate, and marks its cookie as TLS-only', async () => {
    assert.match(base, /^https:\/\/127\.0\.0\.1:\d+\/$/);
    assert.equal((await ask('/healthz')).status, 200);
    assert.equal((await ask('/api/state')).status, 401);
    assert.equal((await ask('/api/state', { authorization: `Bearer ${TOKEN}` })).status, 200);
    const signIn = await ask(
      '/sign-in',
      { 'content-type': 'application/json' },
      JSON.stringify({ token: TOKEN }),
    );
    assert.equal(signIn.status, 204);
    assert.match(signIn.cookie, /; Secure/i);
  });

  test('answers nothing without TLS, nor to a client that does not trust its certificate', async () => {
    await assert.rejects(fetch(base.replace('https:', 'http:')));
    await assert.rejects(fetch(new URL('/healthz', base)), /fetch failed/);
  });

  const unusable: readonly [what: string, changes: Record<string, string>, sentence: RegExp][] = [
    ['a key that is missing', { key: pem('none.key') }, /\$\.http\.key: there is no such file/],
    [
      'a certificate of another key',
      { cert: pem('other.pem') },
      /\$\.http\.cert: and "key" do not belong together/,
    ],
    [
      'a key where the certificate should be',
      { cert: pem('own.key') },
      /\$\.http\.cert: and "key" cannot be used/,
    ],
  ];
  for (const [what, changes, sentence] of unusable)
    test(`${what} is refused in one sentence, and the page keeps working`, async () => {
      daemon.edit({ ...config, http: { ...(config['http'] as object), ...changes } });
      await waitUntil('it is reported', () => sentence.test(daemon.output().replaceAll('\\"', '"')));
      assert.equal((await ask('/healthz')).status, 200);
    });
});
