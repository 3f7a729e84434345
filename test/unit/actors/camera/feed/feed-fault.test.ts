/** What a feed that failed is called, by the lines that ffmpeg wrote. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openFault, type Opened } from '../../../../../src/actors/camera/feed/fault';
import { feedName } from '../../../../../src/config/feed-name';
import { readAddress } from '../../../../../src/actors/camera/rtsp/address';
import type { RtspAnswer } from '../../../../../src/actors/camera/rtsp/answer';
import { withCredentials } from '../../../../../src/url/url';
import { seededRandom } from '../../../../../lab/random';
import { TEST, FILE, stream, SECRET } from '../ffmpeg/specs';

/** The message behind what ffmpeg 5.1 and 7.0 wrote about a feed that did not open. `URL` stands for the feed's. */
function concat51(detail: string, last: string): string {
  return `${detail}[concat @ 0x56206e15cd80] Impossible to open 'URL'\npipe:0: ${last}\n`;
}

function concat70(detail: string, last: string): string {
  return (
    `${detail}[concat @ 0x55d0c8a3a2c0] Impossible to open 'URL'\n` +
    `[in#0 @ 0x55d0c8a39c80] Error opening input: ${last}\n` +
    `Error opening input file pipe:0.\nError opening input files: ${last}\n`
  );
}

describe('a feed fault', () => {
  const method = (status: string) => `[rtsp @ 0x5613b9d9d780] method DESCRIBE failed: ${status}\n`;
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

  /** Said with `-v error`; with 5.1 recorded here, 7.0 from its sources where no binary was at hand. */
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
      it(`is "${code}" where ffmpeg ${version} says ${JSON.stringify((detail || last).trim().slice(-50))} of ${url}`, () => {
        const source = stream(url);
        assert.ok(source.kind === 'stream');
        const fault = openFault(source, text.replaceAll('URL', source.url));
        assert.equal(fault.code, code);
        assert.ok(fault.message.startsWith(`${url} `), fault.message);
        assert.doesNotMatch(fault.message, /s3cr3t|ad%20min|ad min|\n/);
      });

  const unsized =
    '[tee @ 0x1] dimensions not set\nCould not write header for output file #0 : Invalid argument\n';
  const described = (tracks: readonly string[]): RtspAnswer => {
    const address = readAddress('rtsp://cam/live');
    assert.ok(address !== undefined);
    return { kind: 'described', address, afterMs: 9, described: { tracks, transportStream: false } };
  };
  const invalid = concat51('', 'Invalid data found when processing input');
  const unanswered = concat51('', 'Operation not permitted');
  const asked = described(['audio', 'video']);
  const cuts: readonly [string, string, string, Opened][] = [
    ['closed', 'rtsp://cam/live', invalid, { answer: asked }],
    ['closed', 'rtsp://cam/live', unanswered, { answer: asked }],
    ['closed', 'rtsp://cam/live', invalid, { answer: { kind: 'unreached' } }],
    ['closed', 'rtsp://cam/live', unsized, { answer: asked, cut: true }],
    ['closed', 'rtmp://cam/live', unsized, { cut: true }],
    ['closed', 'http://cam/a.flv', "Stream map '0:v:0' matches no streams.\n", { cut: true }],
    [
      'video-late',
      'rtsp://cam/live',
      "Stream map '0:v:0' matches no streams.\n",
      { answer: asked, cut: true },
    ],
    ['not-a-stream', 'http://cam/page', invalid, { cut: true }],
    ['not-a-stream', 'rtsp://cam/live', invalid, { answer: described(['audio']) }],
  ];
  for (const [code, url, text, opened] of cuts)
    it(`is "${code}" of ${url} where ffmpeg says ${JSON.stringify(text.trim().slice(-40))}, and it is known ${Object.keys(opened).join(' and ')}`, () => {
      const fault = openFault({ kind: 'stream', url, transport: 'tcp' }, text.replaceAll('URL', url), opened);
      assert.equal(fault.code, code);
      if (code === 'closed') assert.doesNotMatch(fault.message, /connectMs|not with video/);
      if (code === 'closed' && opened.answer === asked) assert.doesNotMatch(fault.message, /URL/);
    });

  const vague: readonly [string, string, string, RtspAnswer?][] = [
    ['video-late', 'rtsp://cam/live', unsized, described(['audio', 'video'])],
    ['video-late', 'rtmp://cam/live', unsized],
    ['video-late', 'http://cam/a.flv', "Stream map '0:v:0' matches no streams.\n"],
    ['not-a-stream', 'rtsp://cam/live', unsized, described(['audio'])],
    [
      'picture-too-wide',
      'rtsp://cam/live',
      `[mjpeg @ 0x1] [IMGUTILS @ 0x2] Picture size 0x0 is invalid\n${unsized}`,
    ],
  ];
  for (const [code, url, text, answer] of vague)
    it(`is "${code}" where ffmpeg found no size or track in ${url}${answer === undefined ? '' : ', which was asked'}`, () => {
      const fault = openFault({ kind: 'stream', url, transport: 'tcp' }, text, { answer });
      assert.equal(fault.code, code);
      assert.doesNotMatch(fault.message, /restart/);
    });

  it('of a camera that asks for a password, and none is given, says so', () => {
    const fault = openFault(
      { kind: 'stream', url: 'rtsp://cam/a', transport: 'tcp' },
      method('401 Unauthorized'),
    );
    assert.match(fault.message, /asks for a user name and password, and none is given/);
  });

  const files: readonly [string, string][] = [
    ['no-file', 'file:/media/a.mp4: No such file or directory\n'],
    ['no-permission', 'file:/media/a.mp4: Permission denied\n'],
    ['not-a-stream', 'file:/media/a.mp4: Invalid data found when processing input\n'],
    [
      'not-a-stream',
      "Stream map '0:v:0' matches no streams.\nTo ignore this, add a trailing '?' to the map.\n",
    ],
    [
      'no-file',
      '[in#0 @ 0x55] Error opening input: No such file or directory\nError opening input file file:/media/a.mp4.\nError opening input files: No such file or directory\n',
    ],
    ['failed', 'file:/media/a.mp4: Is a directory\n'],
    ['unsupported-codec', '[vist#0:0/none @ 0x55] Decoder (codec none) not found for input stream #0:0\n'],
  ];
  for (const [code, text] of files)
    it(`is "${code}" where ffmpeg says ${JSON.stringify(text.slice(0, 60))} of a file`, () => {
      const fault = openFault({ kind: 'file', path: '/media/a.mp4' }, text);
      assert.equal(fault.code, code);
      assert.match(fault.message, /^file \/media\/a\.mp4 /);
    });

  it('repeats the last line of what is not known, without credentials', () => {
    const source = stream('rtsp://cam/live');
    assert.ok(source.kind === 'stream');
    const { code, message } = openFault(source, `[x @ 0x1] first\n${source.url}: Operation not permitted\n`);
    assert.equal(code, 'failed');
    assert.match(message, /^rtsp:\/\/cam\/live could not be opened; ffmpeg said: .*Operation not permitted$/);
    assert.doesNotMatch(message, /s3cr3t|first/);
  });

  it('says so when ffmpeg said nothing', () => {
    for (const text of ['', '\n', '  \n\n'])
      assert.deepEqual(openFault(TEST, text), {
        code: 'failed',
        message: 'test picture testsrc2 could not be opened; ffmpeg said: (nothing)',
      });
  });

  it('is short, whatever ffmpeg says', () =>
    assert.ok(openFault(TEST, 'x'.repeat(8000)).message.length < 300));

  it('never holds a credential, whatever the password and wherever the URL stands', (t) => {
    const random = seededRandom(t);
    const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    for (let i = 0; i < 500; i++) {
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

  it('of a missing ffmpeg is not one of the feed', () => {
    const said = 'setpriv: failed to execute /opt/ffmpeg: No such file or directory\n';
    assert.equal(openFault(stream('rtsp://cam/live'), said).code, 'ffmpeg');
  });

  for (const bare of ['rtsp://tls-cam/live', 'http://cam/ssl/video', 'rtsp://cam/notfound'])
    it(`of ${bare} does not follow from the words in its URL`, () => {
      const source = stream(bare);
      assert.ok(source.kind === 'stream');
      const text = concat51('', 'Invalid data found when processing input').replaceAll('URL', source.url);
      assert.equal(openFault(source, text).code, 'not-a-stream');
    });

  it('holds no password that has a quotation mark in the URL itself', () => {
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
