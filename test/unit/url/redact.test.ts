/** What is secret in a URL or a text is not shown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STREAM_SCHEMES } from '../../../src/config/schema';
import { redactText, redactUrl, urlProblem, withCredentials } from '../../../src/url/url';
import { rounds, seededRandom } from '../../../lab/random';

const SECRET = 's3cr3t';

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
    for (let i = 0; i < rounds(1000); i++) {
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

  it('keeps the punctuation after a URL, and an IPv6 address at its end', () => {
    assert.equal(redactText('(rtsp://u:p@cam/live): gone.'), '(rtsp://cam/live): gone.');
    assert.equal(redactText('rtsp://u:p@[::1]'), 'rtsp://[::1]');
  });
});
