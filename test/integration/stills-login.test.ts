/** Logins of still-picture cameras, on servers that check them strictly. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Script } from '../../lab/feeds/http-camera';
import { camera, faultOf, sound, USER, USER_INFO, watch } from '../../lab/feeds/still-stage';

describe('a camera of still pictures', () => {
  describe('with a login', { concurrency: true }, () => {
    const md5 = (...parts: string[]) => createHash('md5').update(parts.join(':')).digest('hex');
    const sha256 = (...parts: string[]) => createHash('sha256').update(parts.join(':')).digest('hex');

    /** A server that checks digests strictly: it accepts each count of a nonce once, in order. */
    function guard(challenges: (nonce: string) => string[], maxUses = Infinity): Script {
      let [nonce, count, issued] = ['', 0, 0];
      return (request, response, number) => {
        const given = request.headers.authorization ?? '';
        const field = (name: string) => new RegExp(`[ ,]${name}="?([^",]+)"?`).exec(given)?.[1] ?? '';
        const hash = field('algorithm') === 'SHA-256' ? sha256 : md5;
        const counted = field('nc');
        const key = hash(USER.username, 'cam', USER.password);
        const middle = counted === '' ? [] : [counted, field('cnonce'), field('qop')];
        const expected = hash(key, nonce, ...middle, hash('GET', request.url ?? ''));
        const isRight =
          given.startsWith('Digest') && field('nonce') === nonce && field('response') === expected;
        const isInOrder = counted === '' || parseInt(counted, 16) === count + 1;
        if (isRight && isInOrder && count < maxUses) {
          count++;
          sound(request, response, number);
          return;
        }
        nonce = `nonce${++issued}`;
        count = 0;
        const stale = isRight ? ', stale=true' : '';
        response.writeHead(401, {
          'www-authenticate': challenges(nonce).map(
            (each) => each + (each.startsWith('Digest') ? stale : ''),
          ),
        });
        response.end('no\n');
      };
    }
    const digest =
      (algorithm: string, qop = ', qop="auth"') =>
      (nonce: string) =>
        `Digest realm="cam", nonce="${nonce}"${qop}${algorithm === '' ? '' : `, algorithm=${algorithm}`}`;
    const both = (nonce: string) => [digest('MD5')(nonce), digest('SHA-256')(nonce)];

    const rows: readonly [string, Script][] = [
      ['by digest with MD5', guard((nonce) => [digest('MD5')(nonce)])],
      ['by digest with SHA-256 alone', guard((nonce) => [digest('SHA-256')(nonce)])],
      ['by digest with both in several headers', guard(both)],
      ['by digest with both in one header', guard((nonce) => [both(nonce).join(', ')])],
      ['by digest without qop', guard((nonce) => [digest('', '')(nonce)])],
      [
        'by digest where Basic is offered first',
        guard((nonce) => ['Basic realm="cam"', digest('MD5')(nonce)]),
      ],
      ['by nonces that become stale after two uses', guard((nonce) => [digest('MD5')(nonce)], 2)],
    ];
    for (const [what, script] of rows)
      it(`${what} gives pictures over one connection`, async (t) => {
        const http = await camera(t, script);
        const feed = watch(t, http.url('/snap?x=1', USER_INFO));
        await feed.until('pictures', () => feed.pictures.length >= 6);
        assert.equal(http.connections(), 1);
      });

    it('is remembered once requested: one request a picture', async (t) => {
      const http = await camera(
        t,
        guard((nonce) => [digest('MD5')(nonce)]),
      );
      const feed = watch(t, http.url('/', USER_INFO));
      await feed.until('pictures', () => feed.pictures.length >= 6);
      assert.ok(http.requests.length <= feed.pictures.length + 2);
    });

    it('by Basic gives pictures', async (t) => {
      const expected = `Basic ${Buffer.from(`${USER.username}:${USER.password}`).toString('base64')}`;
      const http = await camera(t, (request, response, number) => {
        if (request.headers.authorization === expected) sound(request, response, number);
        else response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
      });
      const feed = watch(t, http.url('/', USER_INFO));
      await feed.until('pictures', () => feed.pictures.length >= 3);
    });

    it('that is refused or not supported is reported as such', async (t) => {
      const refusing = await faultOf(t, (_, response) => {
        response.writeHead(401, { 'www-authenticate': digest('MD5')('n') }).end();
      });
      assert.equal(refusing.code, 'unauthorized');
      const odd = await faultOf(t, (_, response) => {
        response.writeHead(401, { 'www-authenticate': ['NTLM', digest('SHA-1')('n')] }).end();
      });
      assert.deepEqual([odd.code, /Digest SHA-1/.test(odd.message)], ['login-method', true]);
      const http = await camera(t, (_, response) => {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
      });
      assert.match((await watch(t, http.url('/')).fault()).message, /set "username" and "password"/);
    });
  });
});
