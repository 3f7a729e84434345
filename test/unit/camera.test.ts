/** The camera's pure parts: the ffmpeg command line, the pictures in its output, the sampler, the words for faults. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodePpm } from '../../src/actors/camera/encode';
import { feedName, openFault } from '../../src/actors/camera/feed-fault';
import { ffmpegInvocation } from '../../src/actors/camera/ffmpeg-arguments';
import { FrameSplitter, type Picture } from '../../src/actors/camera/frame-splitter';
import { Sampler, type Sample } from '../../src/actors/camera/sampler';
import type { CameraSource, CameraSpec } from '../../src/config/topology';
import { withCredentials } from '../../src/config/url';
import { Fault } from '../../src/protocol/fault';
import { seededRandom, type Random } from './support/random';

const SECRET = 's3cr3t';
const PASSWORD = `${SECRET}@:/?#%'"\\ ü`;

function stream(bare: string, transport: 'tcp' | 'udp' = 'tcp'): CameraSource {
  return { kind: 'stream', url: withCredentials(bare, 'ad min', PASSWORD), transport };
}

function specOf(source: CameraSource, changes: Partial<CameraSpec> = {}): CameraSpec {
  return {
    id: 'gate',
    source,
    periodMs: 1000,
    format: 'jpeg',
    quality: 80,
    stallMs: 5000,
    connectMs: 20_000,
    ...changes,
  };
}

const TEST: CameraSource = { kind: 'test', pattern: 'testsrc2' };
const FILE: CameraSource = { kind: 'file', path: "/media/a b'c.mp4" };

/** The value behind an option, among those before (`input`) or behind `-i`. */
function option(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

function filterOf(spec: CameraSpec): string {
  return option(ffmpegInvocation(spec).args, '-vf') ?? '';
}

describe('the ffmpeg invocation of a stream', () => {
  const rows: readonly [string, 'tcp' | 'udp', boolean, readonly string[], readonly string[]][] = [
    [
      'rtsp://cam/live',
      'tcp',
      false,
      ['rtp', 'tcp', 'udp'],
      ['option rtsp_transport tcp', 'option timeout 5000000'],
    ],
    [
      'rtsp://cam/live',
      'udp',
      false,
      ['rtp', 'udp'],
      ['option rtsp_transport udp', 'option timeout 5000000'],
    ],
    [
      'rtsps://cam/live',
      'tcp',
      false,
      ['rtp', 'tls', 'tcp'],
      ['option rtsp_transport tcp', 'option timeout 5000000'],
    ],
    ['http://cam/mjpeg', 'tcp', false, ['http', 'tcp'], ['option rw_timeout 5000000']],
    ['https://cam/mjpeg', 'tcp', false, ['https', 'tls', 'tcp'], ['option rw_timeout 5000000']],
    ['http://cam/live.m3u8', 'tcp', true, ['http', 'tcp', 'crypto'], ['option rw_timeout 5000000']],
    ['https://cam/live.m3u8?token=1', 'tcp', true, ['https', 'tls'], ['option rw_timeout 5000000']],
    ['https://cam/mjpeg?list=a.m3u8', 'tcp', false, ['https'], ['option rw_timeout 5000000']],
    ['rtsp://cam/live.m3u8', 'tcp', false, ['rtp'], ['option rtsp_transport tcp']],
    ['rtmp://cam/live/key', 'tcp', false, ['rtmp', 'tcp'], ['option rw_timeout 5000000']],
    ['rtmps://cam/live/key', 'tcp', false, ['rtmps', 'tls', 'tcp'], ['option rw_timeout 5000000']],
  ];
  for (const [url, transport, paced, protocols, options] of rows) {
    const source = stream(url, transport);
    const { args, stdin, output } = ffmpegInvocation(specOf(source));

    it(`${url} over ${transport} may open ${protocols.join(', ')} and no file`, () => {
      const allowed = (option(args, '-protocol_whitelist') ?? '').split(',');
      for (const protocol of ['pipe', ...protocols]) assert.ok(allowed.includes(protocol), protocol);
      for (const protocol of ['file', 'concat', 'subfile', 'data', 'unix', 'ftp', 'gopher', 'all', ''])
        assert.ok(!allowed.includes(protocol), protocol);
      assert.ok(args.indexOf('-protocol_whitelist') < args.indexOf('-i'), 'it belongs to the input');
    });

    it(`${url} over ${transport} is ${paced ? 'read at its own speed' : 'stamped when it arrives'}`, () => {
      assert.equal(args.includes('-re'), paced);
      assert.equal(option(args, '-use_wallclock_as_timestamps'), paced ? undefined : '1');
      assert.ok(
        paced || args.indexOf('-use_wallclock_as_timestamps') < args.indexOf('-f'),
        'before -f concat',
      );
      assert.equal(filterOf(specOf(source)).includes('time(0)'), paced);
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
      assert.deepEqual(lines.slice(0, 2), ['ffconcat version 1.0', `file '${source.url}'`]);
      for (const line of options) assert.ok(lines.includes(line), line);
      assert.equal(
        lines.filter((line) => line.startsWith('option rtsp_transport')).length,
        url.startsWith('rtsp') ? 1 : 0,
      );
      assert.equal(output, 'jpeg');
    });
  }

  it('never has the URL, its host or its credentials among the arguments', () => {
    const { args } = ffmpegInvocation(specOf(stream('rtsp://cam.example:8554/live/7')));
    assert.doesNotMatch(args.join(' '), /s3cr3t|ad%20min|cam\.example|8554|live/);
  });

  it('holds no character in a URL that ends the line or the quotes, whatever the configuration says', () => {
    const url = withCredentials(`RTSP://u:a'b\\c"d@cam/li've?x='1'`);
    const { stdin } = ffmpegInvocation(specOf({ kind: 'stream', url, transport: 'tcp' }));
    assert.equal(stdin.split('\n')[1], "file 'rtsp://u:a%27b%5Cc%22d@cam/li%27ve?x=%271%27'");
  });
});

describe('the ffmpeg invocation of a file', () => {
  const { args, stdin } = ffmpegInvocation(specOf(FILE));
  it('opens files and nothing else, looped at its own speed', () => {
    assert.equal(option(args, '-protocol_whitelist'), 'file');
    assert.equal(option(args, '-stream_loop'), '-1');
    assert.ok(args.includes('-re'));
    assert.equal(stdin, '');
  });

  it('names it so that no name is taken for an option or a protocol', () => {
    assert.equal(option(args, '-i'), "file:/media/a b'c.mp4");
  });

  it('stamps pictures when they are shown', () => {
    assert.match(filterOf(specOf(FILE)), /^settb=1\/1000,setpts='floor\(time\(0\)\*1000\)',select=/);
  });
});

describe('the ffmpeg invocation of a test picture', () => {
  for (const pattern of ['testsrc2', 'smptehdbars', 'rgbtestsrc', 'mandelbrot'])
    it(`${pattern} reads nothing`, () => {
      const { args, stdin } = ffmpegInvocation(specOf({ kind: 'test', pattern }));
      assert.equal(option(args, '-f'), 'lavfi');
      assert.equal(option(args, '-i'), `${pattern}=size=1280x720:rate=10`);
      assert.ok(args.includes('-re'));
      assert.equal(stdin, '');
    });
});

describe('every ffmpeg invocation', () => {
  const sources = [
    TEST,
    FILE,
    stream('rtsp://cam/live'),
    stream('http://cam/a.m3u8'),
    stream('rtmp://cam/a'),
  ];
  for (const source of sources) {
    const what = source.kind === 'stream' ? source.url.split(':')[0] : source.kind;
    it(`(${String(what)}) sends pictures to fd 1 and their times to fd 3, in milliseconds, unduplicated`, () => {
      const { args } = ffmpegInvocation(specOf(source));
      assert.deepEqual(args.slice(-3), ['-f', 'tee', '[f=image2pipe]pipe\\:1|[f=framecrc]pipe\\:3']);
      assert.equal(option(args, '-enc_time_base'), '1/1000');
      assert.equal(option(args, '-fps_mode'), 'passthrough');
      assert.equal(option(args, '-map'), '0:v:0');
      assert.ok(args.includes('-copyts'));
      assert.equal(option(args, '-v'), 'error');
      assert.equal(args.filter((arg) => arg === '-i').length, 1);
    });

    it(`(${String(what)}) encodes with one thread: more hold pictures back`, () => {
      const { args } = ffmpegInvocation(specOf(source));
      assert.equal(option(args.slice(args.indexOf('-i')), '-threads'), '1');
      if (source.kind !== 'test') {
        const input = args.slice(0, args.indexOf('-i'));
        assert.equal(option(input, '-threads'), '1');
        assert.equal(option(input, '-max_pixels'), '40000000');
      }
    });
  }

  for (const [rate, period] of [
    [1, '1000'],
    [5, '200'],
    [4, '250'],
    [3, '333.3333333333333'],
    [0.3, '3333.3333333333335'],
    [0.1, '10000'],
  ] as const)
    it(`selects one picture in ${period} ms for a rate of ${String(rate)}`, () => {
      const filter = filterOf(specOf(TEST, { periodMs: 1000 / rate }));
      assert.ok(
        filter.includes(
          `select='isnan(prev_selected_pts)+gt(floor(pts/${period}),floor(prev_selected_pts/${period}))'`,
        ),
        filter,
      );
    });

  it('scales to the width, and not without one', () => {
    assert.match(filterOf(specOf(TEST, { width: 640 })), /,scale=640:-2$/);
    assert.doesNotMatch(filterOf(specOf(TEST)), /scale/);
  });

  for (const format of ['png', 'webp'] as const)
    it(`asks for uncompressed pictures for ${format}`, () => {
      const { args, output } = ffmpegInvocation(specOf(TEST, { format }));
      assert.equal(output, 'ppm');
      assert.equal(option(args, '-c:v'), 'ppm');
      assert.equal(option(args, '-pix_fmt'), 'rgb24');
    });

  it('maps quality 1 to 100 onto quantisers 31 to 1, never upwards', () => {
    const quantisers = Array.from({ length: 100 }, (_, i) => {
      const { args } = ffmpegInvocation(specOf(TEST, { quality: i + 1 }));
      assert.equal(option(args, '-c:v'), 'mjpeg');
      assert.equal(option(args, '-qmin'), '1');
      return Number(option(args, '-q:v'));
    });
    for (const [i, quantiser] of quantisers.entries()) {
      assert.ok(Number.isInteger(quantiser) && quantiser >= 1 && quantiser <= 31, String(quantiser));
      assert.ok(i === 0 || quantiser <= (quantisers[i - 1] ?? 0), `quality ${String(i + 1)}`);
    }
    assert.equal(quantisers[0], 31);
    assert.equal(quantisers[49], 15);
    assert.equal(quantisers[79], 6);
    assert.equal(quantisers[99], 1);
    assert.ok(new Set(quantisers).size > 15, 'qualities differ');
  });
});

/** What ffmpeg 5.1 writes on fd 3 before the first picture. */
const HEADER = [
  '#software: Lavf59.27.100',
  '#tb 0: 1/1000',
  '#media_type 0: video',
  '#codec_id 0: mjpeg',
  '#dimensions 0: 64x36',
  '#sar 0: 1/1',
];
const START = 1_795_381_140_432;

function lineOf(pts: number, size: number): string {
  return `0, ${String(pts)}, ${String(pts)},      100,${String(size).padStart(9)}, 0x5b22afe9, S=1,        8`;
}

function picturesOf(random: Random, count: number): Picture[] {
  return Array.from({ length: count }, (_, i) => ({
    pts: START + 1000 * i,
    width: 64,
    height: 36,
    bytes: Buffer.from(Array.from({ length: random.between(1, 400) }, () => random.between(0, 255))),
  }));
}

/** `whole` in pieces of random length; empty ones among them. */
function cut(random: Random, whole: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length;) {
    const length = random.between(0, random.pick([1, 5, 60, 1000]));
    pieces.push(whole.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

describe('FrameSplitter', () => {
  it('finds every picture, however the two streams are cut and mixed', (t) => {
    const random = seededRandom(t);
    for (let round = 0; round < 200; round++) {
      const pictures = picturesOf(random, random.between(1, 8));
      const text = [...HEADER, ...pictures.map(({ pts, bytes }) => lineOf(pts, bytes.length)), ''].join('\n');
      const bytes = cut(random, Buffer.concat(pictures.map((picture) => picture.bytes)));
      const lines = cut(random, Buffer.from(text));
      const share = random.next();
      const splitter = new FrameSplitter();
      const found: Picture[] = [];
      while (bytes.length + lines.length > 0) {
        const fromBytes = lines.length === 0 || (bytes.length > 0 && random.next() < share);
        const chunk = (fromBytes ? bytes : lines).shift() ?? Buffer.alloc(0);
        found.push(...(fromBytes ? splitter.pushBytes(chunk) : splitter.pushText(chunk.toString('latin1'))));
      }
      assert.deepEqual(found, pictures);
    }
  });

  it('waits for the line when the bytes come first', () => {
    const splitter = new FrameSplitter();
    assert.deepEqual(splitter.pushBytes(Buffer.from('abcdef')), []);
    assert.deepEqual(splitter.pushText([...HEADER, lineOf(5, 4)].join('\n')), []);
    assert.deepEqual(splitter.pushText('\n'), [
      { pts: 5, width: 64, height: 36, bytes: Buffer.from('abcd') },
    ]);
    assert.deepEqual(splitter.pushText(`${lineOf(6, 2)}\n`), [
      { pts: 6, width: 64, height: 36, bytes: Buffer.from('ef') },
    ]);
  });

  it('waits for the bytes when the line comes first', () => {
    const splitter = new FrameSplitter();
    assert.deepEqual(splitter.pushText([...HEADER, lineOf(5, 4), lineOf(6, 1), ''].join('\n')), []);
    assert.deepEqual(splitter.pushBytes(Buffer.from('abc')), []);
    assert.deepEqual(
      splitter.pushBytes(Buffer.from('de')).map(({ pts, bytes }) => [pts, bytes.toString()]),
      [
        [5, 'abcd'],
        [6, 'e'],
      ],
    );
  });

  it('gives pictures that stay as they are: later bytes touch none', () => {
    const splitter = new FrameSplitter();
    splitter.pushText([lineOf(1, 2), lineOf(2, 2), ''].join('\n'));
    const [first] = splitter.pushBytes(Buffer.from('abc'));
    splitter.pushBytes(Buffer.from('d'));
    assert.equal(first?.bytes.toString(), 'ab');
  });

  it('reads times of 0 and below', () => {
    const splitter = new FrameSplitter();
    splitter.pushBytes(Buffer.from('ab'));
    const found = splitter.pushText(`${lineOf(0, 1)}\n0,  -5,  -40, 1, 1, 0x0\n`);
    assert.deepEqual(
      found.map(({ pts }) => pts),
      [0, -40],
    );
  });

  it('takes new dimensions for the pictures behind them', () => {
    const splitter = new FrameSplitter();
    splitter.pushBytes(Buffer.from('ab'));
    const found = splitter.pushText(
      ['#dimensions 0: 64x36', lineOf(1, 1), '#dimensions 0: 1920x1080', lineOf(2, 1), ''].join('\n'),
    );
    assert.deepEqual(found.at(-1), { pts: 2, width: 1920, height: 1080, bytes: Buffer.from('b') });
  });

  for (const line of [
    'hello',
    '0',
    '0, 1, 2, 3',
    '0, 1, 2, 3, x, 0x0',
    '0, 1, NOPTS, 3, 4, 0x0',
    '0, 1, 2.5, 3, 4, 0x0',
    '0, 1, 2, 3, -4, 0x0',
    '1, 1, 2, 3, 4, 0x0',
    '  0, 1, 2, 3, 4, 0x0',
  ])
    it(`does not take "${line}" for a picture`, () => {
      assert.throws(
        () => new FrameSplitter().pushText(`${HEADER.join('\n')}\n${line}\n`),
        (error) =>
          error instanceof Fault && error.code === 'bad-capture-output' && error.message.includes(line),
      );
    });

  it('does not wait for the end of an endless line', () => {
    const splitter = new FrameSplitter();
    splitter.pushText('x'.repeat(900));
    assert.throws(() => splitter.pushText('x'.repeat(900)), { code: 'bad-capture-output' });
  });

  it('quotes no more than 80 characters of what it does not understand', () => {
    assert.throws(
      () => new FrameSplitter().pushText(`${'x'.repeat(5000)}\n`),
      (error) => error instanceof Fault && error.message.length < 150,
    );
  });

  it('takes a picture of 128 MiB and refuses a larger one', () => {
    const limit = 128 * 1024 * 1024;
    assert.deepEqual(new FrameSplitter().pushText(`${lineOf(1, limit)}\n`), []);
    assert.throws(() => new FrameSplitter().pushText(`${lineOf(1, limit + 1)}\n`), {
      code: 'picture-too-large',
    });
  });

  it('refuses bytes without end that no line belongs to', () => {
    const splitter = new FrameSplitter();
    const chunk = Buffer.alloc(64 * 1024 * 1024);
    for (let i = 0; i < 4; i++) splitter.pushBytes(chunk);
    assert.throws(() => splitter.pushBytes(chunk), { code: 'picture-too-large' });
  });

  it('refuses a picture of no bytes, which no message could announce', () => {
    assert.throws(() => new FrameSplitter().pushText(`${lineOf(1, 0)}\n`), { code: 'bad-capture-output' });
  });
});

/** The samples of pictures that arrive when they are taken. */
function samplesOf(periodMs: number, times: readonly number[]): Sample[] {
  const sampler = new Sampler(periodMs);
  return times.flatMap((at) => sampler.sample(at, at, at) ?? []);
}

describe('Sampler', () => {
  const T = 1_700_000_000_000;

  it('keeps the first picture of every period', () => {
    const times = Array.from({ length: 100 }, (_, i) => T + 40 * i);
    assert.deepEqual(
      samplesOf(1000, times).map(({ capturedAt }) => capturedAt - T),
      [0, 1000, 2000, 3000],
    );
  });

  it('numbers periods by the clock, so that a restart goes on counting', () => {
    const [before] = samplesOf(1000, [T + 999]);
    const [after] = samplesOf(1000, [T + 1000]);
    assert.deepEqual(before, { capturedAt: T + 999, sequence: 1_700_000_000 });
    assert.deepEqual(after, { capturedAt: T + 1000, sequence: 1_700_000_001 });
  });

  it('reports no gap for the first picture', () => {
    assert.equal(samplesOf(1000, [T])[0]?.missed, undefined);
  });

  for (const [what, later, missed] of [
    ['one period', 2000, { firstSequence: 1_700_000_001, lastSequence: 1_700_000_001 }],
    ['nine periods', 10_500, { firstSequence: 1_700_000_001, lastSequence: 1_700_000_009 }],
  ] as const)
    it(`reports a gap of ${what}`, () => {
      assert.deepEqual(samplesOf(1000, [T, T + later])[1]?.missed, missed);
    });

  for (const later of [1, 999, 1000, 1999])
    it(`reports none after ${String(later)} ms`, () => {
      assert.ok(samplesOf(1000, [T, T + later]).every(({ missed }) => missed === undefined));
    });

  it('takes the time of arrival for a first picture with time 0, and drops a second one of that second', () => {
    const sampler = new Sampler(1000);
    assert.deepEqual(sampler.sample(0, T + 300, T + 300), { capturedAt: T + 300, sequence: 1_700_000_000 });
    assert.equal(sampler.sample(T + 290, T + 310, T + 310), undefined);
    assert.equal(sampler.sample(T - 10, T + 320, T + 320), undefined, 'it belongs to the second before');
    assert.deepEqual(sampler.sample(T + 1000, T + 1010, T + 1010), {
      capturedAt: T + 1000,
      sequence: 1_700_000_001,
    });
  });

  for (const [pts, kept] of [
    [T - 60_000, true],
    [T + 60_000, true],
    [T - 60_001, false],
    [T + 60_001, false],
    [-5, false],
  ] as const)
    it(`${kept ? 'believes' : 'does not believe'} a picture that says ${String(pts - T)} ms from now`, () => {
      const sample = new Sampler(1000).sample(pts, T, T);
      assert.equal(sample?.capturedAt, kept ? pts : T);
    });

  it('tells the periods a clock was set forward over from those that were missed', () => {
    const sampler = new Sampler(1000);
    const hour = 3_600_000;
    const first = 1_700_000_000;
    sampler.sample(T, T, 0);
    assert.deepEqual(sampler.sample(T + 1000 + hour, T + 1000 + hour, 1000), {
      capturedAt: T + 1000 + hour,
      sequence: first + 3601,
      skipped: { firstSequence: first + 1, lastSequence: first + 3600 },
    });
    assert.deepEqual(sampler.sample(T + 5000 + 2 * hour, T + 5000 + 2 * hour, 5000), {
      capturedAt: T + 5000 + 2 * hour,
      sequence: first + 7205,
      missed: { firstSequence: first + 3602, lastSequence: first + 3604 },
      skipped: { firstSequence: first + 3605, lastSequence: first + 7204 },
    });
  });

  it('goes on at once after a clock was set back', () => {
    const sampler = new Sampler(1000);
    sampler.sample(T, T, 0);
    const at = T - 3_600_000 + 1000;
    assert.deepEqual(sampler.sample(at, at, 1000), { capturedAt: at, sequence: 1_699_996_401 });
  });

  it('drops pictures that come out of order', () => {
    const times = [T, T + 2100, T + 1900, T + 2050, T + 1000, T + 3000];
    assert.deepEqual(
      samplesOf(1000, times).map(({ capturedAt }) => capturedAt - T),
      [0, 2100, 3000],
    );
  });

  it('keeps at most one in a period whatever the jitter, and misses none that had a picture', (t) => {
    const random = seededRandom(t);
    for (const rate of [0.1, 0.3, 0.7, 1, 1.5, 2, 3, 5]) {
      const periodMs = 1000 / rate;
      const interval = periodMs / random.between(2, 10);
      const times = Array.from({ length: 400 }, (_, i) =>
        Math.floor(T + interval * i + interval * 0.9 * random.next()),
      );
      const samples = samplesOf(periodMs, times);
      const expected = [...new Set(times.map((at) => Math.floor(at / periodMs)))];
      assert.deepEqual(
        samples.map(({ sequence }) => sequence),
        expected,
        `rate ${String(rate)}`,
      );
      for (const { capturedAt, sequence } of samples)
        assert.equal(Math.floor(capturedAt / periodMs), sequence);
    }
  });

  it('accounts for every period exactly once, as a sample or within a gap', (t) => {
    const random = seededRandom(t);
    for (const rate of [0.1, 1 / 3, 1, 3, 5]) {
      const periodMs = 1000 / rate;
      let at = T;
      const times = Array.from({ length: 300 }, () => (at += random.between(1, Math.ceil(3 * periodMs))));
      const samples = samplesOf(periodMs, times);
      const covered = samples.flatMap(({ sequence, missed }) => [
        ...(missed === undefined
          ? []
          : Array.from(
              { length: missed.lastSequence - missed.firstSequence + 1 },
              (_, i) => missed.firstSequence + i,
            )),
        sequence,
      ]);
      const first = covered[0] ?? 0;
      assert.deepEqual(
        covered,
        Array.from({ length: covered.length }, (_, i) => first + i),
        `rate ${String(rate)}`,
      );
    }
  });

  it('goes on at once when the clock is set back by an hour, and reports no gap', () => {
    const samples = samplesOf(1000, [T, T + 1000, T - 3_600_000, T - 3_599_500, T - 3_599_000]);
    assert.deepEqual(
      samples.map(({ capturedAt, missed }) => [capturedAt - T, missed]),
      [
        [0, undefined],
        [1000, undefined],
        [-3_600_000, undefined],
        [-3_599_000, undefined],
      ],
    );
  });

  it('waits out a clock that is set back by a few periods: no period has two pictures', () => {
    const samples = samplesOf(1000, [T, T - 5000, T - 4000, T - 1000, T, T + 1000]);
    assert.deepEqual(
      samples.map(({ capturedAt, missed }) => [capturedAt - T, missed]),
      [
        [0, undefined],
        [1000, undefined],
      ],
    );
  });

  it('goes on at once when the clock is set forward; the periods between are a gap', () => {
    const samples = samplesOf(1000, [T, T + 3_600_000, T + 3_601_000]);
    assert.deepEqual(
      samples.map(({ missed }) => missed),
      [undefined, { firstSequence: 1_700_000_001, lastSequence: 1_700_003_599 }, undefined],
    );
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
    ] as const)
      it(`is "${code}" where ffmpeg ${version} says ${JSON.stringify((detail || last).trim().slice(-50))} of ${url}`, () => {
        const source = stream(url);
        assert.ok(source.kind === 'stream');
        const fault = openFault(source, text.replaceAll('URL', source.url));
        assert.equal(fault.code, code);
        assert.ok(fault.message.startsWith(`${url} `), fault.message);
        assert.doesNotMatch(fault.message, /s3cr3t|ad%20min|ad min|\n/);
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

  it('is short, whatever ffmpeg says', () => {
    assert.ok(openFault(TEST, 'x'.repeat(8000)).message.length < 300);
  });

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

  it('names every kind of feed without credentials', () => {
    assert.deepEqual([stream('rtsp://cam:554/live?a=b'), FILE, TEST].map(feedName), [
      'rtsp://cam:554/live?…',
      "file /media/a b'c.mp4",
      'test picture testsrc2',
    ]);
  });
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
