/** The fault of a failed feed, derived from the lines that ffmpeg printed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openFault } from '../../../../../src/actors/camera/feed/fault';
import type { RtspAnswer } from '../../../../../src/actors/camera/rtsp/answer';
import { feedName } from '../../../../../src/config/feed-name';
import { withCredentials } from '../../../../../src/url/url';
import { rounds, seededRandom } from '../../../../../lab/random';
import { TEST, FILE, stream, SECRET } from '../ffmpeg/specs';
import { concat51, concat70, method } from './ffmpeg-stderr';

describe('a feed fault', () => {
  const refused =
    '[tcp @ 0x559413428780] Connection to tcp://127.0.0.1:1?timeout=5000000 failed: Connection refused\n';
  const silent =
    '[tcp @ 0x559413428780] Connection to tcp://10.0.0.9:554?timeout=5000000 failed: Connection timed out\n';
  const away = (why: string) =>
    `[tcp @ 0x559413428780] Connection to tcp://10.0.0.9:554?timeout=5000000 failed: ${why}\n`;
  const name = '[tcp @ 0x5597ef98f700] Failed to resolve hostname cam: Name or service not known\n';
  const slowName =
    '[tcp @ 0x5597ef98f700] Failed to resolve hostname cam: Temporary failure in name resolution\n';
  const gnutls = '[tls @ 0x56381d8920c0] An unexpected TLS packet was received.\n';
  const openssl = '[tls @ 0x7f21b4002c00] error:0A00010B:SSL routines::wrong version number\n';

  /** Printed with `-v error`; with 5.1 recorded here, 7.0 from its sources where no binary was at hand. */
  const rows: readonly [string, string, string, string][] = [
    [
      'unauthorized',
      'rtsp://cam/live',
      method('401 Unauthorized'),
      'Server returned 401 Unauthorized (authorization failed)',
    ],
    [
      'unauthorized',
      'rtsp://cam/live',
      method('403 Forbidden'),
      'Server returned 403 Forbidden (access denied)',
    ],
    ['unauthorized', 'http://cam/mjpeg', '', 'Server returned 401 Unauthorized (authorization failed)'],
    ['unauthorized', 'https://cam/mjpeg', '', 'Server returned 403 Forbidden (access denied)'],
    ['not-found', 'rtsp://cam/live', method('404 Not Found'), 'Server returned 404 Not Found'],
    ['not-found', 'rtsp://cam/live', method('404 Stream Not Found'), 'Server returned 404 Not Found'],
    ['not-found', 'http://cam/mjpeg', '', 'Server returned 404 Not Found'],
    [
      'too-many-sessions',
      'rtsp://cam/live',
      method('453 Not Enough Bandwidth'),
      'Server returned 4XX Client Error, but not one of 40{0,1,3,4}',
    ],
    [
      'too-many-sessions',
      'rtsp://cam/live',
      method('503 Service Unavailable'),
      'Server returned 5XX Server Error reply',
    ],
    ['too-many-sessions', 'http://cam/mjpeg', '', 'Server returned 429 Too Many Requests'],
    [
      'transport',
      'rtsp://cam/live',
      method('461 Unsupported Transport'),
      'Server returned 4XX Client Error, but not one of 40{0,1,3,4}',
    ],
    ['refused', 'rtsp://127.0.0.1:1/live', refused, 'Connection refused'],
    [
      'refused',
      'rtmps://127.0.0.1:1/live',
      `${refused}[rtmps @ 0x561bf6575300] Cannot open connection tls://127.0.0.1:1\n`,
      'Connection refused',
    ],
    ['unreachable', 'rtsp://10.0.0.9/live', away('No route to host'), 'No route to host'],
    ['unreachable', 'rtsp://10.0.0.9/live', away('Network is unreachable'), 'Network is unreachable'],
    ['unknown-host', 'rtsp://cam/live', name, 'Input/output error'],
    [
      'unknown-host',
      'rtmp://cam/live',
      `${name}[rtmp @ 0x562caa4cd2c0] Cannot open connection tcp://cam:1935?tcp_nodelay=0\n`,
      'Input/output error',
    ],
    ['unknown-host', 'http://cam/mjpeg', slowName, 'Input/output error'],
    ['timeout', 'rtsp://10.0.0.9/live', silent, 'Connection timed out'],
    ['timeout', 'http://10.0.0.9/mjpeg', '', 'Connection timed out'],
    [
      'timeout',
      'rtmp://10.0.0.9/live',
      '[rtmp @ 0x55d1d18f2300] Cannot read RTMP handshake response\n',
      'Connection timed out',
    ],
    ...['file', 'rtp', 'tls', 'concat', 'https', 'httpproxy'].map(
      (protocol): [string, string, string, string] => [
        'leads-elsewhere',
        'http://cam/list',
        `[${protocol} @ 0x55a6dbee3200] Protocol '${protocol}' not on whitelist 'pipe,fd,http,https,tcp,tls,crypto'!\n`,
        'Invalid data found when processing input',
      ],
    ),
    [
      'leads-elsewhere',
      'http://cam/list',
      "[concat @ 0x55c7d71247c0] Unsafe file name 'file:///etc/tls/401 Unauthorized'\n",
      'Operation not permitted',
    ],
    [
      'unsupported-container',
      'http://cam/a',
      "[gif @ 0x55a4d1b7a3c0] Format not on whitelist 'tls,ssl,mpegts'\n",
      'Invalid argument',
    ],
    ['tls', 'rtsps://cam/live', gnutls, 'Input/output error'],
    ['tls', 'https://cam/mjpeg', openssl, 'Input/output error'],
    ['server-error', 'http://cam/mjpeg', '', 'Server returned 5XX Server Error reply'],
    [
      'server-error',
      'rtsp://cam/live',
      method('500 Internal Server Error'),
      'Server returned 5XX Server Error reply',
    ],
    ['closed', 'http://cam/mjpeg', '', 'Connection reset by peer'],
    [
      'closed',
      'rtmp://cam/live',
      '[rtmp @ 0x55acc820f300] Cannot read RTMP handshake response\n',
      'End of file',
    ],
    ['failed', 'rtsp://cam/live', '', 'Input/output error'],
    ['failed', 'rtsp://cam/live', '', 'Protocol not found'],
    ['not-a-stream', 'http://cam/page', '', 'Invalid argument'],
    ['not-a-stream', 'http://cam/page', '', 'Invalid data found when processing input'],
    ['not-a-stream', 'rtsp://cam/live', '', 'Invalid data found when processing input'],
  ];
  for (const [code, url, detail, last] of rows)
    for (const [version, text] of [
      ['5.1', concat51(detail, last)],
      ['7.0', concat70(detail, last)],
      ['7.1', concat70(detail.replace(/(failed: \d+) /, '$1'), last)],
    ] as const)
      it(`is "${code}" if ffmpeg ${version} prints ${JSON.stringify((detail || last).trim().slice(-50))} for ${url}`, () => {
        const source = stream(url);
        assert.ok(source.kind === 'stream');
        const fault = openFault(source, text.replaceAll('URL', source.url));
        assert.equal(fault.code, code);
        assert.ok(fault.message.startsWith(`${url} `), fault.message);
        assert.doesNotMatch(fault.message, /s3cr3t|ad%20min|ad min|\n/);
      });

  it('repeats the last line of an unknown message, without credentials', () => {
    const source = stream('rtsp://cam/live');
    assert.ok(source.kind === 'stream');
    const { code, message } = openFault(source, `[x @ 0x1] first\n${source.url}: Operation not permitted\n`);
    assert.equal(code, 'failed');
    assert.match(message, /^rtsp:\/\/cam\/live could not be opened; ffmpeg said: .*Operation not permitted$/);
    assert.doesNotMatch(message, /s3cr3t|first/);
  });

  it('says so if ffmpeg printed nothing', () => {
    for (const text of ['', '\n', '  \n\n'])
      assert.deepEqual(openFault(TEST, text), {
        code: 'failed',
        message: 'test picture testsrc2 could not be opened; ffmpeg said: (nothing)',
      });
  });

  it('is short, whatever ffmpeg prints', () =>
    assert.ok(openFault(TEST, 'x'.repeat(8000)).message.length < 300));

  it('never contains a credential, whatever the password and wherever the URL appears', (t) => {
    const random = seededRandom(t);
    const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    for (let i = 0; i < rounds(500); i++) {
      const pass = random.text(printable, 0, 6) + SECRET + random.text(printable, 0, 6);
      const bare = random.pick(['rtsp://cam/live', 'http://[::1]:80/a?b=c', 'rtmps://cam:1935/live/1']);
      const url = withCredentials(bare, random.text(printable, 0, 6), pass);
      const [, , detail, last] = random.pick(rows);
      const template = random.pick([
        concat51(detail, last),
        concat70(detail, last),
        'URL: oops',
        'oops URL',
        "'URL'",
      ]);
      const fault = openFault(
        { kind: 'stream', url, transport: 'tcp' },
        template.replaceAll('URL', () => url),
      );
      assert.doesNotMatch(fault.message, new RegExp(SECRET), template);
    }
  });

  for (const detail of ['Connection reset by peer', 'Broken pipe', 'End of file'])
    it(`does not blame the URL of a camera that described video before "${detail}"`, () => {
      const answer = { kind: 'described', described: { tracks: ['video'] } } as unknown as RtspAnswer;
      const { code, message } = openFault(stream('rtsp://cam/live'), concat51('', detail), { answer });
      assert.equal(code, 'closed');
      assert.match(message, /describes video, and closed the connection/);
    });

  it('does not blame the feed for a missing ffmpeg', () => {
    const said = 'setpriv: failed to execute /opt/ffmpeg: No such file or directory\n';
    assert.equal(openFault(stream('rtsp://cam/live'), said).code, 'ffmpeg');
  });

  for (const bare of ['rtsp://tls-cam/live', 'http://cam/ssl/video', 'rtsp://cam/notfound'])
    it(`of ${bare} does not depend on the text of its URL`, () => {
      const source = stream(bare);
      assert.ok(source.kind === 'stream');
      const text = concat51('', 'Invalid data found when processing input').replaceAll('URL', source.url);
      assert.equal(openFault(source, text).code, 'not-a-stream');
    });

  it('contains no password that has a quotation mark in the URL itself', () => {
    const url = `rtsp://u:a"${SECRET}@cam/live`;
    const fault = openFault({ kind: 'stream', url, transport: 'tcp' }, `${url}: Operation not permitted\n`);
    assert.doesNotMatch(fault.message, new RegExp(SECRET));
  });

  it('names every kind of feed without credentials', () =>
    assert.deepEqual([stream('rtsp://cam:554/live?a=b'), FILE, TEST].map(feedName), [
      'rtsp://cam:554/live?…',
      "file /media/a b'c.mp4",
      'test picture testsrc2',
    ]));
});
