/** URLs: any credential goes in and comes out again, none is ever shown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STREAM_SCHEMES } from '../../../src/config/schema';
import { encodeCredential, redactText, redactUrl, urlProblem, withCredentials } from '../../../src/url/url';
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

describe('redactUrl', () => {
  const rows: readonly [string, string][] = [
    [`rtsp://u:${SECRET}@cam/live`, 'rtsp://cam/live'],
    [`rtsp://u:${SECRET}@cam:8554/live`, 'rtsp://cam:8554/live'],
    [`rtsp://${SECRET}@cam/live`, 'rtsp://cam/live'],
    [`redis://:${SECRET}@h:6379/0`, 'redis://h:6379/0'],
    [`amqp://u:${SECRET}@h`, 'amqp://h'],
    [`amqps://u:${SECRET}@h/%2F`, 'amqps://h/%2F'],
    [`RTSP://u:${SECRET}@cam/live`, 'rtsp://cam/live'],
    [`rtsp://u:${SECRET}@[2001:db8::1]:554/live`, 'rtsp://[2001:db8::1]:554/live'],
    [`rtsp://u:a%40${SECRET}%2F@cam/live`, 'rtsp://cam/live'],
    [`rtsp://u:a@${SECRET}@cam/live`, 'rtsp://cam/live'],
    [`http://cam/snap?user=u&pwd=${SECRET}`, 'http://cam/snap?…'],
    [`http://cam/snap#${SECRET}`, 'http://cam/snap'],
    [`rtsp://u:${SECRET}/@cam/live`, '(unreadable URL)'],
    [`rtsp://cam/user=u&password=${SECRET}&channel=1`, 'rtsp://cam/user=…&password=…&channel=…'],
    [SECRET, '(unreadable URL)'],
    ['', '(unreadable URL)'],
    ['rtsp://cam/live', 'rtsp://cam/live'],
  ];
  for (const [url, expected] of rows)
    it(`shows ${url} as ${expected}`, () => assert.equal(redactUrl(url), expected));

  for (const url of [
    `rtsp:u:${SECRET}@cam/live`,
    `rtsp:/u:${SECRET}@cam/live`,
    `rtsp:///u:${SECRET}@cam/live`,
    `rtsp://u:12/${SECRET}@cam/live`,
    `rtsp://cam:554/user=admin&password=${SECRET}&channel=1&stream=0.sdp`,
    `rtsp://cam:554/user=admin_password=${SECRET}_channel=1_stream=0.sdp?real_stream`,
  ])
    it(`does not show what is secret in ${url}`, () =>
      assert.doesNotMatch(redactUrl(url), new RegExp(SECRET)));
});

describe('redactText', () => {
  it('leaves the names of schemes in a sentence as they are', () => {
    const problem = urlProblem('ftp://h', STREAM_SCHEMES) ?? assert.fail();
    assert.equal(redactText(problem), problem);
  });

  it('hides a secret of any one character, whatever it means to a regular expression', () => {
    for (let code = 33; code < 127; code++) {
      const secret = `${String.fromCharCode(code)}]`;
      assert.ok(!redactText(`said <<< ${secret} >>>`, [secret]).includes(secret), secret);
    }
  });

  const url = `rtsp://u:${SECRET}@cam/live`;
  const rows: readonly [string, string][] = [
    ['nothing to see', 'nothing to see'],
    ['see https://h/page.', 'see https://h/page.'],
    [`Impossible to open '${url}'`, "Impossible to open 'rtsp://cam/live'"],
    [`open "${url}" failed`, 'open "rtsp://cam/live" failed'],
    [`<${url}>`, '<rtsp://cam/live>'],
    [`${url}\n${url}`, 'rtsp://cam/live\nrtsp://cam/live'],
    [`a ${url} b amqp://u:${SECRET}@h/v c`, 'a rtsp://cam/live b amqp://h/v c'],
    [`url=${url}`, 'url=rtsp://cam/live'],
    [`RTSP://U:${SECRET}@CAM/live`, 'rtsp://CAM/live'],
    [`rtsp://u:x%40${SECRET}%3A@cam/live`, 'rtsp://cam/live'],
    [`rtsp://u:x@${SECRET}@cam/live`, 'rtsp://cam/live'],
    [`rtsp://u:${SECRET}@[2001:db8::1]:554/live`, 'rtsp://[2001:db8::1]:554/live'],
    [`http://cam/snap?pwd=${SECRET}`, 'http://cam/snap?…'],
    [`redis://:${SECRET}@h:6379/0 is away`, 'redis://h:6379/0 is away'],
  ];
  for (const [text, expected] of rows)
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(text)}`, () =>
      assert.equal(redactText(text), expected));

  const endings = [
    '',
    '.',
    ',',
    ':',
    ';',
    ')',
    ']',
    '!',
    ': Connection refused',
    '..',
    '),',
    "'.",
    '|',
    '…',
    ' ',
  ];
  for (const ending of endings)
    for (const written of [
      url,
      `redis://:${SECRET}@h`,
      `http://cam/?k=${SECRET}`,
      `rtsp://u:${SECRET}@[::1]`,
    ])
      it(`shows no secret of ${written} before ${JSON.stringify(ending)}`, () => {
        const said = redactText(`(see ${written}${ending}`);
        assert.doesNotMatch(said, new RegExp(SECRET));
        assert.match(said, /^\(see /);
      });

  it('shows no encoded credential in any place of any sentence', (t) => {
    const random = seededRandom(t);
    const alphabet = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    for (let i = 0; i < 1000; i++) {
      const bare = random.pick([
        'rtsp://cam/live',
        'amqp://h:5672',
        'redis://[::1]:6379/0',
        'http://old:x@cam/?a=b',
      ]);
      const pass = random.text(alphabet, 0, 8) + SECRET + random.text(alphabet, 0, 8);
      const written = withCredentials(bare, random.text(alphabet, 0, 8), pass);
      const text = `${random.text(' "\'([<=', 0, 3)}${written}${random.text(' "\')]>.,;:!\n', 0, 3)}`;
      assert.doesNotMatch(redactText(text), new RegExp(SECRET), text);
    }
  });

  for (const text of [
    `rtsp://u:a"${SECRET}@cam/live`,
    `rtsp://u:a'${SECRET}@cam/live`,
    `rtsp://u:a<${SECRET}@cam/live`,
    `rtsp://a:b@h/x,rtsp://u:${SECRET}@cam/live`,
    `rtsp:///u:${SECRET}@cam/live`,
    `rtsp://u:12/${SECRET}@cam/live`,
    `http:u:${SECRET}@cam/live`,
    `feed_rtsp://u:${SECRET}@cam/live`,
    `https://h/page#access_token=${SECRET}`,
    `--url=u:${SECRET}@cam`,
    `u:${SECRET}@cam`,
  ])
    it(`shows no secret of ${text}`, () => assert.doesNotMatch(redactText(text), new RegExp(SECRET)));

  for (const text of [
    `rtsp://u:${SECRET}?x@cam/live`,
    `rtsp://u:${SECRET}#x@cam/live`,
    `5-rtsp://u:${SECRET}@cam/live`,
    `1rtsp://u:${SECRET}@cam/live`,
  ])
    it(`shows no secret of ${text}`, () => assert.doesNotMatch(redactText(text), new RegExp(SECRET)));

  for (const text of [
    'rtsp://cam/live?user=me&password=s3cr3t refuses connections',
    '(rtsp://cam/live?user=me&password=s3cr3t), and so on',
    'rtsp://cam/user=me&password=s3cr3t/live: refused',
    'rtmp://cam/live/s3cr3t, refused',
    'GET /snap?loginpas=s3cr3t. And again',
    'password=s3cr3t; token=s3cr3t, both',
    '{"password": "s3cr3t"}',
  ])
    it(`changes nothing in what it has made of ${text}`, () => {
      const once = redactText(text);
      assert.doesNotMatch(once, /s3cr3t|……/);
      assert.equal(redactText(once), once);
    });

  it('keeps the punctuation behind a URL, and an IPv6 address at its end', () => {
    assert.equal(redactText('(rtsp://u:p@cam/live): gone.'), '(rtsp://cam/live): gone.');
    assert.equal(redactText('rtsp://u:p@[::1]'), 'rtsp://[::1]');
  });
});
