/** What "http" of actors.json may be: a client that can reach the server needs a token, and a certificate fits its key. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { ConfigurationError } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';

const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-http-'));
after(() => rmSync(DIR, { recursive: true }));
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync(path.join(DIR, 'cert.pem'), rootCertificates[0] ?? '');
writeFileSync(path.join(DIR, 'other.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));

const topologyOf = (http: unknown, environment: NodeJS.ProcessEnv = {}) =>
  parseTopology(JSON.stringify({ http, cameras: [] }), path.join(DIR, 'actors.json'), environment);

function faultsOf(http: unknown, environment: NodeJS.ProcessEnv = {}): string[] {
  try {
    topologyOf(http, environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error.faults.map(({ path: place, problem }) => `${place}: ${problem}`);
  }
}

describe('the HTTP server of a configuration', () => {
  it('listens on loopback unless configured otherwise', () =>
    assert.deepEqual(topologyOf(undefined).http, {
      ...{ port: 8080, host: '127.0.0.1', names: [], metricsTags: false },
    }));

  it('is absent if set to false', () => assert.equal(topologyOf(false).http, undefined));

  for (const host of [
    '0.0.0.0',
    '::',
    '192.168.1.5',
    'cams.example.org',
    '1127.0.0.1',
    '127.0.0.1.example.org',
  ])
    it(`needs a token at ${host}, in one sentence`, () => {
      const [fault = '', ...more] = faultsOf({ host });
      assert.deepEqual(more, []);
      assert.match(
        fault,
        /^\$\.http\.token: is required, as "host" is \S+ and others can reach it there; set "token"/,
      );
      assert.deepEqual(faultsOf({ host, token: '${TOKEN}' }, { TOKEN: 'secret' }), []);
    });

  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    it(`needs no token at ${host}`, () => assert.deepEqual(faultsOf({ host }), []));

  it('does not show a token that cannot be sent', () => {
    for (const token of ['hush hush', 'hüsh', '', 'hush\n', 7])
      assert.doesNotMatch(faultsOf({ token }).join() || assert.fail(String(token)), /hush|hüsh|7/);
  });

  it('reports a certificate without a key, a missing file, and a pair that does not match', () => {
    assert.match(faultsOf({ cert: 'cert.pem' }).join(), /^\$\.http\.key: is required beside "cert"$/);
    assert.match(faultsOf({ key: 'other.pem' }).join(), /^\$\.http\.cert: is required beside "key"$/);
    assert.match(
      faultsOf({ cert: 'none.pem', key: 'other.pem' }).join(),
      /^\$\.http\.cert: there is no such file; it is looked for beside actors\.json$/,
    );
    assert.match(
      faultsOf({ cert: 'cert.pem', key: 'other.pem' }).join(),
      /^\$\.http\.cert: and "key" do not belong together; give the private key/,
    );
    assert.match(
      faultsOf({ cert: 'other.pem', key: 'other.pem' }).join(),
      /^\$\.http\.cert: and "key" cannot be used together \(.+\); expected a certificate and its private key/,
    );
  });
});
