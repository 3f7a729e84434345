/** Logins over HTTP: the examples of the RFCs, and what cameras make of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { readChallenges } from '../../../../../src/actors/camera/http/challenge';
import { digestAuthorization, readDigestChallenge } from '../../../../../src/actors/camera/http/digest';
import { Login } from '../../../../../src/actors/camera/http/login';

const CREDENTIALS = { username: 'admin', password: 'secret' };

function response(
  header: string,
  credentials: { username: string; password: string },
  uri: string,
  clientNonce: string,
) {
  const [challenge] = readChallenges([header]);
  const digest = challenge === undefined ? undefined : readDigestChallenge(challenge);
  assert.ok(digest);
  return digestAuthorization(digest, credentials, { method: 'GET', uri, count: 1, clientNonce });
}

describe('a digest', () => {
  const RFC_7616 =
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=%, ' +
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
  const CLIENT_NONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

  it('is that of RFC 7616, 3.9.1, for MD5 and SHA-256', () => {
    const answer = (algorithm: string) =>
      response(RFC_7616.replace('%', algorithm), MUFASA, '/dir/index.html', CLIENT_NONCE);
    assert.match(answer('MD5'), /response="8ca523f5e9506fed4657c9700eebdbec"/);
    assert.match(
      answer('SHA-256'),
      /response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"/,
    );
    assert.match(
      answer('MD5'),
      /qop=auth, nc=00000001, cnonce="f2\/wE4q74E6zIJEtWaHKaf5wv\/H5QzzpXusqGemxURZJ"/,
    );
  });

  it('is that of RFC 7616, 3.9.2, for SHA-512-256 with a hashed user name, as its erratum 4897 corrects it', () => {
    const header =
      'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", ' +
      'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true';
    const user = { username: 'Jäsøn Doe', password: 'Secret, or not?' };
    const answer = response(header, user, '/doe.json', 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v');
    assert.match(answer, /username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"/);
    assert.match(answer, /response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"/);
    assert.match(answer, /userhash=true/);
  });

  it('is that of RFC 2069 if the server does not know qop', () => {
    const header = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
    const answer = response(header, { username: 'Mufasa', password: 'CircleOfLife' }, '/dir/index.html', 'x');
    // RFC 2069, 2.4, with the response of its erratum 749.
    assert.match(answer, /response="1949323746fe6a43ef61f9606e7febea"/);
    assert.doesNotMatch(answer, /qop|cnonce|nc=/);
  });

  it('of a session keys by its nonces', () => {
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const header = 'Digest realm="cam", nonce="abc", qop="auth", algorithm=MD5-sess';
    const key = md5(`${md5('admin:cam:secret')}:abc:mine`);
    const expected = md5(`${key}:abc:00000001:mine:auth:${md5('GET:/p?q=1')}`);
    assert.match(response(header, CREDENTIALS, '/p?q=1', 'mine'), new RegExp(`response="${expected}"`));
  });

  it('covers the empty body if the server offers only auth-int', () => {
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const request = md5(`GET:/p:${md5('')}`);
    const expected = md5(`${md5('admin:cam:secret')}:abc:00000001:mine:auth-int:${request}`);
    const header = 'Digest realm="cam", nonce="abc", qop="auth-int"';
    assert.match(response(header, CREDENTIALS, '/p', 'mine'), new RegExp(`response="${expected}"`));
  });

  it('quotes what is quoted in the realm and the user name', () => {
    const answer = response(
      'Digest realm="a \\"b\\" \\\\c", nonce="n"',
      { username: 'u"s\\er', password: 'p' },
      '/',
      'x',
    );
    assert.match(answer, /username="u\\"s\\\\er", realm="a \\"b\\" \\\\c"/);
  });
});

describe('challenges', () => {
  for (const [what, headers] of [
    ['in several headers', ['Basic realm="cam"', 'Digest realm="cam", nonce="abc", qop="auth"']],
    ['in one header', ['Basic realm="cam", Digest realm="cam", nonce="abc", qop="auth"']],
    ['without commas and quotes', ['Basic realm=cam  Digest realm=cam nonce=abc qop=auth']],
    ['with odd blanks and letters', ['BASIC Realm = "cam" ,DIGEST  Realm= "cam",Nonce ="abc" , QOP="auth"']],
  ] as const)
    it(`are read ${what}`, () =>
      assert.deepEqual(
        readChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]),
        [
          ['basic', { realm: 'cam' }],
          ['digest', { realm: 'cam', nonce: 'abc', qop: 'auth' }],
        ],
      ));

  it('of any text are read to the end', () => {
    for (const text of [
      '',
      ',,,',
      '="',
      'Digest realm="',
      '"\\',
      'Basic',
      '=====',
      'a"b"c',
      'Negotiate abc==',
    ])
      assert.ok(Array.isArray(readChallenges([text])));
  });
});

describe('a login', () => {
  const MD5 = 'Digest realm="cam", nonce="abc", qop="auth", algorithm=MD5';
  const SHA = 'Digest realm="cam", nonce="abc", qop="auth", algorithm=SHA-256';
  const newLogin = () => new Login(CREDENTIALS);

  it('reveals nothing before it is asked', () =>
    assert.equal(newLogin().authorization('GET', '/'), undefined));

  for (const [what, headers, expected] of [
    ['SHA-256 before MD5', [MD5, SHA], /algorithm=SHA-256/],
    ['MD5 before Basic', ['Basic realm="cam"', MD5], /^Digest .*algorithm=MD5/],
    ['what it can do before what it cannot', [SHA.replace('SHA-256', 'SHA-1'), MD5], /algorithm=MD5/],
    ['Basic where there is nothing else', ['Negotiate', 'Basic realm="x"'], /^Basic YWRtaW46c2VjcmV0$/],
    ['MD5 where no algorithm is named', ['Digest realm="cam", nonce="n"'], /^Digest .*algorithm=MD5/],
  ] as const)
    it(`takes ${what}`, () => {
      const login = newLogin();
      assert.equal(login.asked(headers).kind, 'again');
      assert.match(login.authorization('GET', '/') ?? '', expected);
    });

  it('counts the uses of a nonce, and starts again with another', () => {
    const login = newLogin();
    login.asked([MD5]);
    const count = () => /nc=(\d+)/.exec(login.authorization('GET', '/') ?? '')?.[1];
    assert.equal(count(), '00000001');
    login.accepted(undefined);
    assert.equal(count(), '00000002');
    login.accepted('nextnonce="def", qop=auth');
    const next = login.authorization('GET', '/') ?? '';
    assert.match(next, /nonce="def".*nc=00000001/);
  });

  it('is refused if an answer to the newest challenge is refused', () => {
    const login = newLogin();
    assert.equal(login.asked([MD5]).kind, 'again');
    login.authorization('GET', '/');
    assert.equal(login.asked([MD5]).kind, 'refused');
  });

  it('answers again if the nonce is stale, or was valid before and no longer is', () => {
    const stale = newLogin();
    stale.asked([MD5]);
    assert.equal(stale.asked([`${MD5}, stale=TRUE`]).kind, 'again');
    const expired = newLogin();
    expired.asked([MD5]);
    expired.accepted(undefined);
    assert.equal(expired.asked([MD5.replace('abc', 'def')]).kind, 'again');
    assert.match(expired.authorization('GET', '/') ?? '', /nonce="def".*nc=00000001/);
    assert.equal(expired.asked([MD5]).kind, 'refused');
  });

  it('names what it does not support', () => {
    assert.deepEqual(newLogin().asked(['NTLM', SHA.replace('SHA-256', 'SHA-1')]), {
      kind: 'unsupported',
      offered: ['Ntlm', 'Digest SHA-1'],
    });
    assert.equal(new Login(undefined).asked([MD5]).kind, 'no-credentials');
  });
});
