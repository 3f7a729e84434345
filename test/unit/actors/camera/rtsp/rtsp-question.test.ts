/** What is read from an RTSP camera's answers: challenges, redirections, tracks; and how its challenges are answered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addressUrl,
  readAddress,
  redirected,
  requestUri,
} from '../../../../../src/actors/camera/rtsp/address';
import { authorization } from '../../../../../src/actors/camera/rtsp/authorization';
import {
  answerable,
  ffmpegAnswers,
  namesOf,
  readChallenges,
} from '../../../../../src/actors/camera/rtsp/challenge';
import {
  headerOf,
  RtspSplitter,
  RtspTooLarge,
  statusOf,
} from '../../../../../src/actors/camera/rtsp/message';
import { readDescription } from '../../../../../src/actors/camera/rtsp/sdp';

const MD5 = 'Digest realm="cam", nonce="abc", algorithm="MD5"';
const SHA = 'Digest realm="cam", nonce="abc", qop="auth,auth-int", algorithm=SHA-256';
const BASIC = 'Basic realm="cam"';

describe('a challenge', () => {
  it('is read with quotes, escapes, blanks and commas as they come', () => {
    const [one, ...more] = readChallenges([
      'DIGEST  Realm="a \\"b\\", c" ,nonce = xyz=, QOP="auth-int, AUTH",stale=TRUE,opaque="",domain="/"',
    ]);
    assert.deepEqual(more, []);
    assert.deepEqual(one, {
      ...{ scheme: 'digest', realm: 'a "b", c', nonce: 'xyz=', opaque: '' },
      ...{ algorithm: undefined, qop: ['auth-int', 'auth'], stale: true },
    });
  });

  it('is one of several in one header, or in several', () => {
    for (const headers of [[`${MD5}, ${SHA}, ${BASIC}`], [MD5, SHA, BASIC]])
      assert.equal(namesOf(readChallenges(headers)), 'Digest MD5 and Digest SHA-256 and Basic');
  });

  for (const garbage of [
    '',
    ',',
    '=',
    'Digest',
    'Negotiate',
    '"',
    'Digest realm="',
    `${'a'.repeat(9000)} b="`,
  ])
    it(`that is ${JSON.stringify(garbage.slice(0, 20))} breaks nothing`, () => {
      for (const each of readChallenges([garbage])) assert.equal(each.nonce, '');
    });

  const rows: readonly [string, string[], string | undefined][] = [
    ['MD5', [MD5], 'MD5'],
    ['SHA-256', [SHA], undefined],
    ['MD5, then SHA-256', [MD5, SHA], undefined],
    ['SHA-256, then MD5', [SHA, MD5], 'MD5'],
    ['SHA-256, then Basic', [SHA, BASIC], undefined],
    ['Basic', [BASIC], undefined],
    ['MD5 in small letters, which ffmpeg does not know', [MD5.replace('MD5', 'md5')], undefined],
    ['nothing but integrity', ['Digest realm="c", nonce="n", qop="auth-int"'], undefined],
  ];
  for (const [what, headers, algorithm] of rows)
    it(`of ${what} is ${algorithm === undefined ? 'not ' : ''}answered with digest by ffmpeg`, () => {
      const answered = ffmpegAnswers(readChallenges(headers));
      assert.equal(answered?.algorithm, algorithm);
      assert.equal(answered !== undefined, algorithm !== undefined || what === 'Basic');
    });

  it('is answered by the strongest that is known, and by Basic last', () => {
    const offers = answerable(readChallenges([BASIC, MD5, SHA, MD5.replace('MD5', 'SHA-512-256')]));
    assert.deepEqual(
      offers.map(({ scheme, algorithm }) => algorithm ?? scheme),
      ['SHA-256', 'MD5', 'basic'],
    );
  });
});

describe('the answer to a challenge', () => {
  // RFC 7616, 3.9.1.
  const request = {
    ...{ method: 'GET', uri: '/dir/index.html', count: 1 },
    clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };
  const user = { username: 'Mufasa', password: 'Circle of Life' };
  const offer = (algorithm: string, qop = 'auth, auth-int') =>
    readChallenges([
      `Digest realm="http-auth@example.org", qop="${qop}", algorithm=${algorithm}, ` +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    ])[0];

  const rows = [
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const;
  for (const [algorithm, response] of rows)
    it(`with ${algorithm} is that of RFC 7616`, () => {
      const challenge = offer(algorithm);
      assert.ok(challenge !== undefined);
      const answer = authorization(challenge, user, request) ?? '';
      assert.match(answer, new RegExp(`response="${response}"`));
      assert.match(answer, /qop=auth, cnonce="f2.*", nc=00000001$/);
    });

  it('escapes what would end a quotation', () => {
    const challenge = offer('MD5');
    assert.ok(challenge !== undefined);
    const answer = authorization(challenge, { username: 'a"b\\c', password: '' }, request);
    assert.match(answer ?? '', /username="a\\"b\\\\c", /);
  });

  it('with Basic is the credentials, as UTF-8', () => {
    const [challenge] = readChallenges([BASIC]);
    assert.ok(challenge !== undefined);
    const answer = authorization(challenge, { username: 'ü', password: ':p' }, request);
    assert.equal(answer, `Basic ${Buffer.from('ü::p').toString('base64')}`);
  });
});

describe('an address', () => {
  for (const url of [
    'rtsp://cam/a',
    'rtsps://cam:1322/a?b=c@d',
    'rtsp://u:p%40%3A@[fe80::1%eth0]:554/a',
    'rtsp://:@cam',
  ])
    it(`${url} is taken apart and put together again`, () => {
      const address = readAddress(url);
      assert.ok(address !== undefined);
      assert.equal(addressUrl(address), url);
      assert.doesNotMatch(requestUri(address), /p%40|u:p/);
    });

  it('is looked up without brackets, on the port of its protocol', () => {
    const { host, port } = readAddress('rtsp://[fe80::1%eth0]/') ?? {};
    assert.deepEqual([host, port, readAddress('rtsps://cam')?.port], ['fe80::1%eth0', 554, 322]);
  });

  const from = readAddress('rtsp://u:p@cam:554/a');
  const rows: readonly [string, string | undefined][] = [
    ['rtsp://cam/b', 'rtsp://u:p@cam/b'],
    ['rtsp://CAM:8554/b', 'rtsp://u:p@CAM:8554/b'],
    ['/b?c', 'rtsp://u:p@cam:554/b?c'],
    ['rtsp://other/b', 'rtsp://other/b'],
    ['rtsps://cam/b', 'rtsps://cam/b'],
    ['rtsp://x:y@other/b', 'rtsp://other/b'],
    ['http://cam/b', undefined],
    ['file:///b', undefined],
    ["rtsp://cam/b'", undefined],
    ['rtsp://cam/b c', undefined],
    ['', undefined],
  ];
  for (const [location, to] of rows)
    it(`redirected to ${JSON.stringify(location)} is ${to ?? 'none'}`, () => {
      assert.ok(from !== undefined);
      const found = redirected(from, location);
      assert.equal(found === undefined ? undefined : addressUrl(found), to);
    });
});

describe('messages', () => {
  const media = Buffer.from([0x24, 0, 0, 5, 0x24, 0x0d, 0x0a, 0x24, 1]);
  const answer = Buffer.from('RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4\r\nX: a: b\r\n\r\n$v=0');

  it('come whole with media between them, however the bytes are cut', () => {
    const bytes = Buffer.concat([answer, media, media, answer, media]);
    for (let size = 1; size <= bytes.length; size++) {
      const splitter = new RtspSplitter();
      const out: Buffer[] = [];
      let messages = 0;
      for (let at = 0; at < bytes.length; at += size)
        for (const each of splitter.push(bytes.subarray(at, at + size))) {
          out.push(each.bytes);
          if (each.kind !== 'message') continue;
          messages++;
          assert.deepEqual([statusOf(each), headerOf(each, 'x'), each.body], [200, 'a: b', '$v=0']);
        }
      assert.equal(messages, 2);
      assert.deepEqual(Buffer.concat(out), bytes);
    }
  });

  it('without an end, or with a body beyond measure, are refused', () => {
    assert.throws(() => {
      const splitter = new RtspSplitter();
      for (let i = 0; i < 100; i++) splitter.push(Buffer.alloc(1000, 'X: y\r\n'));
    }, RtspTooLarge);
    for (const length of ['99999999', '-5', '1e99'])
      assert.throws(
        () => new RtspSplitter().push(Buffer.from(`RTSP/1.0 200 OK\r\nContent-Length: ${length}\r\n\r\n`)),
        RtspTooLarge,
      );
  });
});

describe('a description', () => {
  it('names its tracks in their order', () => {
    const sdp =
      'v=0\r\nm=audio 0 RTP/AVP 8\r\na=x\r\nm=video 0 RTP/AVP 96\r\nm=application 0 RTP/AVP 107\r\n';
    assert.deepEqual(readDescription(sdp), {
      tracks: ['audio', 'video', 'application'],
      transportStream: false,
    });
  });

  it('recognises MPEG-TS', () => {
    assert.ok(readDescription('m=video 0 RTP/AVP 33\r\n').transportStream);
    assert.ok(readDescription('m=video 0 RTP/AVP 96\r\na=rtpmap:96 MP2T/90000\r\n').transportStream);
  });
});
