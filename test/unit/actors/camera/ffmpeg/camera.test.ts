/** The camera's pure parts: the ffmpeg command lines, the words for what is done and for what fails. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodePpm } from '../../../../../src/actors/camera/pictures/encode';
import { openFault, type Opened } from '../../../../../src/actors/camera/feed/fault';
import { feedName } from '../../../../../src/config/feed-name';
import { decoderInvocation } from '../../../../../src/actors/camera/pictures/decoder-arguments';
import { receiverInvocation } from '../../../../../src/actors/camera/ffmpeg/receiver-arguments';
import { hasLengthPrefixes, hasMediaTimes, isPaced } from '../../../../../src/actors/camera/ffmpeg/codecs';
import { readAddress } from '../../../../../src/actors/camera/rtsp/address';
import type { RtspAnswer } from '../../../../../src/actors/camera/rtsp/answer';
import { samplingChoice } from '../../../../../src/actors/camera/sampling/sampling-choice';
import type { CameraSource, CameraSpec } from '../../../../../src/config/topology';
import { withCredentials } from '../../../../../src/url/url';
import { seededRandom } from '../../../../../lab/random';
import { cameraSpec } from '../../../../../lab/camera-spec';

const SECRET = 's3cr3t';
const PASSWORD = `${SECRET}@:/?#%'"\\ ü`;

function stream(bare: string, transport: 'tcp' | 'udp' = 'tcp'): CameraSource {
  return { kind: 'stream', url: withCredentials(bare, 'ad min', PASSWORD), transport };
}

function specOf(source: CameraSource, changes: Partial<CameraSpec> = {}): CameraSpec {
  return cameraSpec({ source, ...changes });
}

const TEST: CameraSource = { kind: 'test', pattern: 'testsrc2' };
const FILE: CameraSource = { kind: 'file', path: "/media/a b'c.mp4" };

/** The value behind an option, among those before (`input`) or behind `-i`. */
function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

describe('the receiver of a stream', () => {
  const rows: readonly [string, 'tcp' | 'udp', boolean, readonly string[], readonly string[]][] = [
    [
      'rtsp://cam/live',
      'tcp',
      false,
      ['rtp', 'tcp', 'udp'],
      ['option rtsp_transport tcp', 'option timeout 60000000', 'option allowed_media_types video'],
    ],
    [
      'rtsp://cam/live',
      'udp',
      false,
      ['rtp', 'udp'],
      ['option rtsp_transport udp', 'option timeout 60000000', 'option allowed_media_types video'],
    ],
    [
      'rtsps://cam/live',
      'tcp',
      false,
      ['rtp', 'tls', 'tcp'],
      ['option rtsp_transport tcp', 'option timeout 60000000', 'option allowed_media_types video'],
    ],
    // What HTTP brings is handed to it.
    ['http://cam/mjpeg', 'tcp', false, [], []],
    ['https://cam/mjpeg?list=a.m3u8', 'tcp', false, [], []],
    ['rtsp://cam/live.m3u8', 'tcp', false, ['rtp'], ['option rtsp_transport tcp']],
    ['rtmp://cam/live/key', 'tcp', false, ['rtmp', 'tcp'], ['option rw_timeout 60000000']],
    ['rtmps://cam/live/key', 'tcp', false, ['rtmps', 'tls', 'tcp'], ['option rw_timeout 60000000']],
  ];
  for (const [url, transport, paced, protocols, options] of rows) {
    const source = stream(url, transport);
    const { args, stdin } = receiverInvocation(specOf(source));

    it(`${url} over ${transport} may open ${protocols.join(', ')} and no file`, () => {
      const allowed = (option(args, '-protocol_whitelist') ?? '').split(',');
      for (const protocol of ['pipe', ...protocols]) assert.ok(allowed.includes(protocol), protocol);
      const other = url.startsWith('http') ? ['http', 'https', 'tcp', 'tls', 'fd'] : [];
      for (const protocol of [
        'file',
        'concat',
        'subfile',
        'data',
        'unix',
        'ftp',
        'gopher',
        'all',
        '',
        ...other,
      ])
        assert.ok(!allowed.includes(protocol), protocol);
      assert.ok(args.indexOf('-protocol_whitelist') < args.indexOf('-i'), 'it belongs to the input');
    });

    it(`${url} over ${transport} may be read in containers of cameras, and in none that opens others`, () => {
      const allowed = (option(args, '-format_whitelist') ?? '').split(',');
      assert.equal(allowed[0], 'concat');
      assert.equal(allowed.includes('mpegts'), url.startsWith('http'));
      for (const format of ['hls', 'dash', 'sdp', 'image2', 'gif', 'lavfi', 'tty', 'smk', ''])
        assert.ok(!allowed.includes(format), format);
      assert.ok(args.indexOf('-format_whitelist') < args.indexOf('-i'), 'it belongs to the input');
    });

    it(`${url} over ${transport} is ${paced ? 'read at its own speed' : "read as it comes, with its sender's times"}`, () => {
      assert.equal(args.includes('-re'), paced);
      assert.ok(!args.includes('-use_wallclock_as_timestamps'));
      assert.equal(isPaced(source), paced);
      assert.deepEqual(
        [1000 / 90_000, 1, 40, 1000 / 1_200_000].map((unitMs) => hasMediaTimes(source, unitMs)),
        [!paced, !paced, false, false],
      );
    });

    it(`${url} over ${transport} is named on standard input, with its options`, () => {
      assert.ok(source.kind === 'stream');
      assert.equal(option(args, '-i'), 'pipe:0');
      assert.deepEqual(args.slice(args.indexOf('-f'), args.indexOf('-f') + 4), [
        '-f',
        'concat',
        '-safe',
        '0',
      ]);
      const lines = stdin.split('\n');
      assert.deepEqual(lines.slice(0, 2), [
        'ffconcat version 1.0',
        `file '${url.startsWith('http') ? 'pipe:3' : source.url}'`,
      ]);
      for (const line of options) assert.ok(lines.includes(line), line);
      assert.equal(
        lines.filter((line) => line.startsWith('option rtsp_transport')).length,
        url.startsWith('rtsp') ? 1 : 0,
      );
    });
  }

  it('opens what was learned of it: another URL, one video track, more of it before its first packet', () => {
    const opening = { url: 'rtsp://127.0.0.1:9/x', firstTrackOnly: true };
    const { stdin } = receiverInvocation(specOf(stream('rtsp://cam/live')), { videoIsLate: true }, opening);
    const lines = stdin.split('\n');
    assert.equal(lines[1], "file 'rtsp://127.0.0.1:9/x'");
    for (const line of ['option max_streams 1', 'option analyzeduration 20000000'])
      assert.ok(lines.includes(line), line);
    assert.ok(!lines.includes('option probesize 32'));
  });

  it('never has the URL, its host or its credentials among the arguments', () => {
    const { args } = receiverInvocation(specOf(stream('rtsp://cam.example:8554/live/7')));
    assert.doesNotMatch(args.join(' '), /s3cr3t|ad%20min|cam\.example|8554|live/);
  });

  it('holds no character in a URL that ends the line or the quotes, whatever the configuration says', () => {
    const url = withCredentials(`RTSP://u:a'b\\c"d@cam/li've?x='1'`);
    const { stdin } = receiverInvocation(specOf({ kind: 'stream', url, transport: 'tcp' }));
    assert.equal(stdin.split('\n')[1], "file 'rtsp://u:a%27b%5Cc%22d@cam/li%27ve?x=%271%27'");
  });

  it('is one quoted text for ffmpeg, also where a quotation mark came into it', () => {
    const opening = { url: "rtsp://c'am/x" };
    const { stdin } = receiverInvocation(specOf(stream('rtsp://cam/live')), {}, opening);
    assert.equal(stdin.split('\n')[1], String.raw`file 'rtsp://c'\''am/x'`);
    for (const url of ['rtsp://cam/a\nfile /etc/passwd', 'rtsp://cam/a\0'])
      assert.throws(() => receiverInvocation(specOf(stream('rtsp://cam/live')), {}, { url }), RangeError);
  });
});

describe('the receiver of a file', () => {
  const { args, stdin } = receiverInvocation(specOf(FILE));
  it('opens files and nothing else, looped at its own speed', () => {
    assert.equal(option(args, '-protocol_whitelist'), 'file');
    assert.equal(option(args, '-stream_loop'), '-1');
    assert.ok(args.includes('-re') && isPaced(FILE));
    assert.equal(stdin, '');
  });

  it('names it so that no name is taken for an option or a protocol', () =>
    assert.equal(option(args, '-i'), "file:/media/a b'c.mp4"));
});

describe('the receiver of a test picture', () => {
  for (const pattern of ['testsrc2', 'smptehdbars', 'rgbtestsrc', 'mandelbrot'])
    it(`${pattern} reads nothing and makes two pictures a period`, () => {
      const { args, stdin } = receiverInvocation(specOf({ kind: 'test', pattern }, { periodMs: 500 }));
      assert.equal(option(args, '-f'), 'lavfi');
      assert.equal(option(args, '-i'), `${pattern}=size=1280x720:rate=4`);
      assert.ok(args.includes('-re'));
      assert.equal(stdin, '');
    });

  it('makes them in the wanted size, and uncompressed for formats that sharp makes', () => {
    const { args } = receiverInvocation(specOf(TEST, { width: 640, format: 'png' }));
    assert.equal(option(args, '-vf'), 'scale=640:-2');
    assert.equal(option(args, '-c:v'), 'ppm');
  });
});

/** What tee is told: of each packet a line, then its bytes. */
const filtered = (bsfs: string) => `[f=framecrc:bsfs/v=${bsfs}]pipe\\:1|[f=data:bsfs/v=${bsfs}]pipe\\:1`;

describe('every receiver', () => {
  const sources = [FILE, stream('rtsp://cam/live'), stream('http://cam/a.m3u8'), stream('rtmp://cam/a')];
  for (const source of sources) {
    const what = source.kind === 'stream' ? source.url.split(':')[0] : source.kind;
    it(`(${String(what)}) decodes nothing`, () => {
      const { args } = receiverInvocation(specOf(source));
      assert.equal(option(args, '-c'), 'copy');
      assert.ok(!args.includes('-vf') && !args.includes('-c:v'));
    });

    it(`(${String(what)}) sends a line with time and size, and then the packet, in the input's own time`, () => {
      const { args } = receiverInvocation(specOf(source));
      const outputs = args.at(-1)?.split('|[f=mp4')[0];
      assert.deepEqual([...args.slice(-3, -1), outputs], ['-f', 'tee', filtered('dump_extra=freq=keyframe')]);
      assert.equal(option(args, '-map'), '0:v:0');
      assert.equal(option(args, '-copytb'), '1');
      assert.ok(args.includes('-copyts'));
      assert.equal(option(args, '-v'), what === 'rtsp' ? 'repeat+level+info' : 'error');
      assert.equal(args.filter((arg) => arg === '-i').length, 1);
    });
  }

  it('of keyframes that are stored as they are lets nothing else out of ffmpeg', () => {
    const { args } = receiverInvocation(specOf(stream('rtsp://cam/live'), { format: 'keyframe' }), {
      lengthPrefixed: 'hevc',
    });
    assert.equal(
      args.at(-1)?.split('|[f=mp4')[0],
      filtered('noise=amount=0\\\\:drop=not(key),hevc_mp4toannexb,dump_extra=freq=keyframe'),
    );
  });

  it("asks for the sender's times where RTCP may tell them, in an output that may fail alone", () => {
    for (const [source, asks] of [
      [stream('rtsp://cam/live'), true],
      [stream('rtsps://cam/live'), true],
      [stream('http://cam/a.mjpg'), false],
      [stream('rtmp://cam/a'), false],
      [FILE, false],
      [TEST, false],
    ] as const) {
      const mp4 = (receiverInvocation(specOf(source)).args.at(-1) ?? '').split('|[f=mp4')[1];
      assert.equal(mp4?.endsWith(']pipe\\:3') ?? false, asks);
      assert.ok(mp4 === undefined || mp4.includes(':onfail=ignore:'));
    }
  });

  for (const [codec, filter] of [
    ['h264', 'h264_mp4toannexb'],
    ['hevc', 'hevc_mp4toannexb'],
  ] as const)
    it(`mends ${codec} that has lengths instead of start codes`, () => {
      assert.ok(hasLengthPrefixes(codec) && !hasLengthPrefixes('mjpeg'));
      assert.equal(
        receiverInvocation(specOf(FILE), { lengthPrefixed: codec }).args.at(-1),
        filtered(`${filter},dump_extra=freq=keyframe`),
      );
    });
});

/** Of pictures that JPEG takes as they are. */
const LOOK = { interlaced: false, colours: [] } as const;

/** The arguments of the decoder's last output; before it comes the thumbnail's. */
function pictureOutput(args: readonly string[]): readonly string[] {
  return args.slice(args.lastIndexOf('-map'));
}

describe('the decoder', () => {
  it('is given to hardware where that is asked for, before its input', () => {
    const args = (changes: Partial<CameraSpec>) =>
      decoderInvocation(specOf(FILE, changes), 'hevc', LOOK).args;
    assert.ok(!args({}).includes('-hwaccel'));
    assert.equal(option(args({ hwaccel: 'vaapi' }), '-hwaccel'), 'vaapi');
    assert.equal(option(args({ hwaccel: 'vaapi' }), '-c:v'), 'hevc');
    assert.equal(option(args({ hwaccel: 'qsv' }), '-c:v'), 'hevc_qsv');
    const given = args({ hwaccel: 'cuda' });
    assert.ok(given.indexOf('-hwaccel') < given.indexOf('-i'));
  });

  const { args } = decoderInvocation(specOf(stream('rtsp://cam/live')), 'hevc', LOOK);
  it('is told the codec, and reads packets that carry their size', () => {
    const input = args.slice(0, args.indexOf('-i'));
    assert.equal(option(input, '-c:v'), 'hevc');
    assert.equal(option(input, '-f'), 'ivf');
    assert.equal(option(args, '-i'), 'pipe:0');
    assert.equal(option(input, '-max_pixels'), '40000000');
  });

  it('uses one thread on all three sides: more hold pictures back', () =>
    assert.equal(args.filter((arg, i) => arg === '-threads' && args[i + 1] === '1').length, 3));

  it('encodes what is marked by an odd time, and nothing else', () => {
    const output = pictureOutput(args);
    assert.equal(option(output, '-vf'), "select='mod(pts,2)'");
    assert.equal(option(output, '-enc_time_base'), '1/1000');
    assert.equal(option(output, '-fps_mode'), 'passthrough');
  });

  it('scales to the width', () => {
    const scaled = decoderInvocation(specOf(TEST, { width: 640 }), 'h264', LOOK).args;
    assert.match(option(pictureOutput(scaled), '-vf') ?? '', /,scale=640:-2$/);
  });

  for (const format of ['png', 'webp'] as const)
    it(`gives uncompressed pictures for ${format}`, () => {
      const output = pictureOutput(decoderInvocation(specOf(TEST, { format }), 'h264', LOOK).args);
      assert.equal(option(output, '-c:v'), 'ppm');
      assert.equal(option(output, '-pix_fmt'), 'rgb24');
    });

  it('maps quality 1 to 100 onto quantisers 31 to 1, never upwards', () => {
    const quantisers = Array.from({ length: 100 }, (_, i) => {
      const output = pictureOutput(decoderInvocation(specOf(TEST, { quality: i + 1 }), 'h264', LOOK).args);
      assert.equal(option(output, '-c:v'), 'mjpeg');
      assert.equal(option(output, '-qmin'), '1');
      return Number(option(output, '-q:v'));
    });
    for (const [i, quantiser] of quantisers.entries()) {
      assert.ok(Number.isInteger(quantiser) && quantiser >= 1 && quantiser <= 31, String(quantiser));
      assert.ok(i === 0 || quantiser <= (quantisers[i - 1] ?? 0), `quality ${i + 1}`);
    }
    assert.equal(quantisers[0], 31);
    assert.equal(quantisers[49], 15);
    assert.equal(quantisers[79], 6);
    assert.equal(quantisers[99], 1);
    assert.ok(new Set(quantisers).size > 15, 'qualities differ');
  });
});

describe('a sampling choice', () => {
  const auto = { periodMs: 1000, sampling: 'auto', format: 'jpeg' } as const;
  const h264 = { codec: 'h264', decoded: true };
  for (const [what, spec, seen, intervalMs, sampling, reason] of [
    ['before anything came', auto, undefined, undefined, 'unknown', /nothing was received/],
    ['of one keyframe', auto, h264, undefined, 'between-keyframes', /not known yet/],
    [
      'of frequent keyframes',
      auto,
      h264,
      1000,
      'keyframes',
      /every 1000 ms, a picture is wanted every 1000 ms/,
    ],
    ['of rare keyframes', auto, h264, 9999.6, 'between-keyframes', /every 10000 ms only/],
    ['of JPEG pictures', auto, { codec: 'mjpeg', decoded: false }, 100, 'pass-through', /mjpeg pictures/],
    ['that was made', { ...auto, sampling: 'all' }, h264, 1000, 'all', /the configuration says so/],
  ] as const)
    it(`${what} is "${sampling}", and says why`, () => {
      const choice = samplingChoice(spec, seen, intervalMs);
      assert.equal(choice.sampling, sampling);
      assert.match(choice.samplingReason, reason);
      assert.equal(choice.keyframeIntervalMs, intervalMs === undefined ? undefined : Math.round(intervalMs));
    });
});

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

describe('encodePpm', () => {
  const ppm = Buffer.concat([Buffer.from('P6\n2 1\n255\n'), Buffer.from([255, 0, 0, 0, 0, 255])]);

  it('makes a PNG and a WebP', async () => {
    assert.equal((await encodePpm(ppm, 'png', 80)).subarray(1, 4).toString(), 'PNG');
    assert.equal((await encodePpm(ppm, 'webp', 80)).subarray(8, 12).toString(), 'WEBP');
  });

  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['a JPEG', Buffer.from([0xff, 0xd8, 0xff])],
    ['text in colour', Buffer.from('P3\n1 1\n255\n0 0 0')],
    ['16 bits', Buffer.from('P6\n1 1\n65535\n000000')],
  ] as const)
    it(`refuses ${what}`, async () => {
      await assert.rejects(encodePpm(bytes, 'png', 80), { code: 'bad-capture-output' });
    });

  it('refuses half a picture', async () => {
    await assert.rejects(encodePpm(ppm.subarray(0, -1), 'png', 80));
  });
});
