/** The arguments of the ffmpeg that receives a feed: safe, bounded, and without the feed's password. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { receiverInvocation } from '../../../../../src/actors/camera/ffmpeg/receiver-arguments';
import { hasLengthPrefixes, hasMediaTimes, isPaced } from '../../../../../src/actors/camera/ffmpeg/codecs';
import { withCredentials } from '../../../../../src/url/url';
import { TEST, FILE, option, specOf, stream } from './specs';

/** The arguments of tee: for each packet a line, then its bytes. */
const filtered = (bsfs: string) => `[f=framecrc:bsfs/v=${bsfs}]pipe\\:1|[f=data:bsfs/v=${bsfs}]pipe\\:1`;

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
    // Data received over HTTP is piped to it.
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

    it(`${url} over ${transport} may be read in containers that cameras use, and in none that opens others`, () => {
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

  it('applies what was learned about it: another URL, one video track, more probing before its first packet', () => {
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

  it('has no character in a URL that ends the line or the quotes, whatever the configuration contains', () => {
    const url = withCredentials(`RTSP://u:a'b\\c"d@cam/li've?x='1'`);
    const { stdin } = receiverInvocation(specOf({ kind: 'stream', url, transport: 'tcp' }));
    assert.equal(stdin.split('\n')[1], "file 'rtsp://u:a%27b%5Cc%22d@cam/li%27ve?x=%271%27'");
  });

  it('is one quoted string for ffmpeg, even if it contains a quotation mark', () => {
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

  it('is named so that no name is mistaken for an option or a protocol', () =>
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

  it('makes them in the requested size, and uncompressed for formats that sharp encodes', () => {
    const { args } = receiverInvocation(specOf(TEST, { width: 640, format: 'png' }));
    assert.equal(option(args, '-vf'), 'scale=640:-2');
    assert.equal(option(args, '-c:v'), 'ppm');
  });
});

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
      assert.equal(option(args, '-v'), 'repeat+level+info');
      assert.equal(args.filter((arg) => arg === '-i').length, 1);
    });
  }

  it('of keyframes that are stored unchanged lets nothing else out of ffmpeg', () => {
    const { args } = receiverInvocation(specOf(stream('rtsp://cam/live'), { format: 'keyframe' }), {
      lengthPrefixed: 'hevc',
    });
    assert.equal(
      args.at(-1)?.split('|[f=mp4')[0],
      filtered('noise=amount=0\\\\:drop=not(key),hevc_mp4toannexb,dump_extra=freq=keyframe'),
    );
  });

  it("requests the sender's times where RTCP may provide them, in an output that may fail on its own", () => {
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
    it(`converts ${codec} from length prefixes to start codes`, () => {
      assert.ok(hasLengthPrefixes(codec) && !hasLengthPrefixes('mjpeg'));
      assert.equal(
        receiverInvocation(specOf(FILE), { lengthPrefixed: codec }).args.at(-1),
        filtered(`${filter},dump_extra=freq=keyframe`),
      );
    });
});
