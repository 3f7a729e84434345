/** URLs: how credentials are put in, and what is wrong with one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STREAM_SCHEMES } from '../../../src/config/schema';
import { encodeCredential, urlProblem, withCredentials } from '../../../src/url/url';
import { seededRandom } from '../../../lab/random';

const SECRET = 's3cr3t';

describe('withCredentials', () => {
  const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const UNICODE = ['é', 'ß', 'Ω', '中', '🔑', '\u00a0', 'e\u0301', '\t', '\n'];
  const URLS = [
    'rtsp://cam/live',
    'rtsp://cam:554/live?channel=1&sub=@2',
    'rtsp://old@cam/live',
    'rtsp://old:pass@cam:554/live',
    'rtsp://old:p@ss@cam/live',
    'rtsp://old:p@ss:w@rd@[2001:db8::1]:8554/live/@home',
    'https://old:p%40ss@cam/snap?user=me@home',
    'redis://:old@h:6379/0',
    'RTSP://cam/live',
    'amqps://[::1]:5671/%2F',
  ];
  for (const url of URLS)
    it(`carries every character into ${url}`, () => {
      for (const character of [...PRINTABLE, ...UNICODE])
        for (const text of [character, `a${character}`, `${character}b`, `${character}${character}%41`]) {
          const whole = withCredentials(url, text, text);
          const joined = new URL(whole);
          assert.equal(decodeURIComponent(joined.username), text);
          assert.equal(decodeURIComponent(joined.password), text);
          const { host, pathname, search, hash, protocol } = new URL(url);
          assert.deepEqual(
            [joined.host, joined.pathname, joined.search, joined.hash, joined.protocol],
            [host, pathname, search, hash, protocol],
          );
          assert.match(whole, /^[\x21-\x7e]+$/);
          assert.doesNotMatch(whole, /old/);
        }
    });

  it('uses unreserved characters and percent-encoding only', () =>
    assert.match(
      encodeCredential([...PRINTABLE, ...UNICODE].join('')),
      /^(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})+$/,
    ));

  it('carries random text', (t) => {
    const random = seededRandom(t);
    const alphabet = [...PRINTABLE, ...UNICODE].join('');
    for (let i = 0; i < 500; i++) {
      const [user, pass] = [random.text(alphabet, 1, 20), random.text(alphabet, 1, 20)];
      const { username, password, host } = new URL(withCredentials(random.pick(URLS), user, pass));
      assert.deepEqual([decodeURIComponent(username), decodeURIComponent(password)], [user, pass]);
      assert.match(host, /^(cam|h|\[)/);
    }
  });

  const rows: readonly [string, string | undefined, string | undefined, string][] = [
    ['rtsp://u:p@h/', undefined, undefined, 'rtsp://u:p@h/'],
    ['rtsp://u:p@h/', 'x', undefined, 'rtsp://x@h/'],
    ['rtsp://[fe80::1%25eth0]:554/a', 'u', 'p', 'rtsp://u:p@[fe80::1%eth0]:554/a'],
    ['rtsps://[fe80::1%eth0]/a', undefined, undefined, 'rtsps://[fe80::1%eth0]/a'],
    ['redis://h', undefined, 'x', 'redis://:x@h'],
    ['rtsp://h', '', '', 'rtsp://:@h'],
    ['rtsp://h', undefined, undefined, 'rtsp://h'],
    ['RTSP://U:P@Cam/Live', undefined, undefined, 'rtsp://U:P@Cam/Live'],
    ['rtsp://u:p%40@h', undefined, undefined, 'rtsp://u:p%40@h'],
    ['rtsp://u:p@q:r@h', undefined, undefined, 'rtsp://u:p%40q%3Ar@h'],
    [`rtsp://u:a'b"c@h/x'y?z=\\<>`, undefined, undefined, 'rtsp://u:a%27b%22c@h/x%27y?z=%5C%3C%3E'],
    ['not a URL', 'u', 'p', 'not a URL'],
  ];
  for (const [url, user, pass, expected] of rows)
    it(`makes ${expected} of ${url}, ${String(user)} and ${String(pass)}`, () =>
      assert.equal(withCredentials(url, user, pass), expected));
});

describe('urlProblem', () => {
  it('never repeats the URL', () => {
    for (const url of [
      `rtsp://${SECRET}:x`,
      SECRET,
      `rtsp://u:${SECRET}@`,
      `rtsp://h/${SECRET} `,
      `rtsp:${SECRET}`,
    ])
      assert.doesNotMatch(urlProblem(url, STREAM_SCHEMES) ?? assert.fail(url), new RegExp(SECRET));
  });
});

describe('urlProblem of a host', () => {
  for (const url of [
    'rtsp://kamera_küche-2.local:554/a',
    'rtsp://門.example/a',
    'rtsp://cam~1./a',
    'rtsp://[2001:db8::1]:554/a',
    'rtsps://[fe80::1%eth0]/a',
    'rtsp://10.0.0.9/a',
  ])
    it(`finds nothing wrong with ${url}`, () => assert.equal(urlProblem(url, STREAM_SCHEMES), undefined));
});
