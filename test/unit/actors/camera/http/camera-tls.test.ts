/** Whether a camera's certificate is verified: what actors.json says, and what is reported. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { trustFault } from '../../../../../src/actors/camera/http/trust';
import { receiverInvocation } from '../../../../../src/actors/camera/ffmpeg/receiver-arguments';
import { ConfigurationError } from '../../../../../src/config/faults';
import { parseTopology } from '../../../../../src/config/load';
import type { SupervisedCamera } from '../../../../../src/config/topology';
import { UnverifiedCameras } from '../../../../../src/supervisor/unverified-cameras';
import { keptLog } from '../../../../../lab/kept-log';

type Entry = Record<string, unknown>;

const DIR = mkdtempSync(path.join(tmpdir(), "vigil-te'ls-"));
const CA = path.join(DIR, 'ca.pem');
writeFileSync(CA, `# ours\n${rootCertificates.slice(0, 2).join('\n')}`);
writeFileSync(path.join(DIR, 'empty.pem'), '');
writeFileSync(path.join(DIR, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
after(() => rmSync(DIR, { recursive: true }));

function camerasOf(cameras: readonly Entry[], tls?: Entry): readonly SupervisedCamera[] {
  const defaults = tls === undefined ? {} : { cameraDefaults: { tls } };
  return parseTopology(JSON.stringify({ cameras, ...defaults }), path.join(DIR, 'actors.json'), {}).cameras;
}

function trustOf(own: Entry | undefined, defaults?: Entry, url = 'rtsps://cam/a') {
  const [camera] = camerasOf([{ id: 'a', url, ...(own === undefined ? {} : { tls: own }) }], defaults);
  return camera?.source.kind === 'stream' ? (camera.source.tls ?? false) : assert.fail();
}

describe('the certificate of a camera', () => {
  const rows: readonly [Entry | undefined, Entry | undefined, unknown][] = [
    [undefined, undefined, false],
    [{}, undefined, false],
    [{ verify: false }, undefined, false],
    [{ verify: true }, undefined, {}],
    [{ ca: 'ca.pem' }, undefined, { ca: CA }],
    [{ verify: true, ca: CA }, undefined, { ca: CA }],
    [undefined, { verify: true }, {}],
    [undefined, { ca: 'ca.pem' }, { ca: CA }],
    [{ verify: false }, { ca: 'ca.pem' }, false],
    [{ verify: true }, { ca: 'ca.pem' }, { ca: CA }],
    [{ ca: 'ca.pem' }, { verify: false }, { ca: CA }],
  ];
  for (const [own, defaults, expected] of rows)
    it(`is ${expected === false ? 'not ' : ''}verified with ${JSON.stringify(own)} and, by default, ${JSON.stringify(defaults)}`, () =>
      assert.deepEqual(trustOf(own, defaults), expected));

  const faults: readonly [string, Entry, string, RegExp][] = [
    ['a file that is not there', { ca: 'none.pem' }, '.ca', /no such file/],
    ['a file without a certificate', { ca: 'empty.pem' }, '.ca', /no certificate in it/],
    ['a certificate that is none', { ca: 'broken.pem' }, '.ca', /cannot be read; expected PEM/],
    ['a folder', { ca: '.' }, '.ca', /cannot be read \(EISDIR\)/],
    ['a name that ends a line', { ca: 'a\nb' }, '.ca', /control character/],
    ['a file, and nothing to verify', { ca: 'ca.pem', verify: false }, '', /remove one of them/],
  ];
  for (const [what, tls, at, problem] of faults)
    it(`of ${what} is refused in one sentence`, () =>
      assert.throws(
        () => camerasOf([{ id: 'a', url: 'https://cam/a', tls }]),
        (error: unknown) => {
          assert.ok(error instanceof ConfigurationError);
          assert.deepEqual(
            error.faults.map((fault) => fault.path),
            [`$.cameras[0].tls${at}`],
          );
          assert.match(error.faults[0]?.problem ?? '', problem);
          return true;
        },
      ));

  it('cannot be verified without TLS: a configuration that requests it is refused', () => {
    for (const source of [{ url: 'rtsp://cam/a' }, { still: 'http://cam/a' }, { test: 'testsrc2' }])
      assert.throws(() => camerasOf([{ id: 'a', ...source, tls: { verify: true } }]), /\.tls: /);
    assert.deepEqual(trustOf(undefined, { verify: true }, 'rtsp://cam/a'), {});
  });

  it('that is not verified is named in one sentence, however many there are', () => {
    const cameras = Array.from({ length: 12 }, (_, i) => ({
      id: `c${i}`,
      url: 'rtsps://u:hush@cam/a',
    }));
    const log = keptLog();
    new UnverifiedCameras(log).log(camerasOf(cameras));
    const [text = ''] = log.lines.map(([, line]) => line);
    assert.match(text, /^the certificate of c0, .*c9 and 2 more is not verified: /);
    assert.doesNotMatch(text, /hush/);
    const others = [
      { id: 'a', url: 'rtsp://cam/a' },
      { id: 'b', test: 'testsrc2' },
      { id: 'c', still: 'https://cam/', tls: { verify: true } },
    ];
    new UnverifiedCameras(log).log(camerasOf(others));
    assert.equal(log.lines.length, 1);
  });

  it('that an edit leaves unverified is named once, as at the start, and verification is reported too', () => {
    const log = keptLog();
    const cameras = new UnverifiedCameras(log);
    const told = (...entries: readonly Entry[]): (string | undefined)[] => {
      log.lines.length = 0;
      cameras.log(camerasOf(entries));
      return log.lines.map(
        ([level, line, fields]) => `${level} ${String(fields?.['code'])} ${line.split(':')[0] ?? ''}`,
      );
    };
    const open = (id: string) => ({ id, url: 'rtsps://u:hush@cam/a' });
    const checked = (id: string) => ({ ...open(id), tls: { verify: true } });
    const unverified = (ids: string) => `info tls-unverified the certificate of ${ids} is not verified`;
    const plain = { id: 'a', url: 'rtsp://cam/a' };
    assert.deepEqual(told(plain, checked('b')), []);
    assert.deepEqual(told(plain, checked('b'), open('c')), [unverified('c')]);
    assert.deepEqual(told(open('a'), open('b'), open('c')), [unverified('a, b')]);
    assert.deepEqual(told(open('a'), open('b'), { ...open('c'), width: 64 }), []);
    assert.deepEqual(told(open('a'), checked('b'), checked('c')), [
      'info tls-verified the certificate of b, c is verified from now on',
    ]);
    assert.deepEqual(told(checked('b')), []);
    assert.deepEqual(told(open('b'), open('a')), [unverified('b, a')]);
  });

  it('is verified by ffmpeg too over RTMP, which reads the file name literally', () => {
    const [camera] = camerasOf([{ id: 'a', url: 'rtmps://cam/live/a', tls: { ca: 'ca.pem' } }]);
    const lines = receiverInvocation(camera ?? assert.fail()).stdin.split('\n');
    assert.ok(lines.includes('option tls_verify 1'));
    assert.ok(lines.includes(`option ca_file '${CA.replaceAll("'", String.raw`'\''`)}'`), lines.join('\n'));
  });

  for (const [code, pattern] of [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /no trusted authority has signed/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /no trusted authority has signed/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /no trusted authority has signed/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /no trusted authority has signed/],
    ['CERT_SIGNATURE_FAILURE', /no trusted authority has signed/],
    ['INVALID_CA', /no trusted authority has signed/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another name/],
    ['CERT_HAS_EXPIRED', /has expired/],
    ['CERT_NOT_YET_VALID', /not valid yet/],
  ] as const)
    it(`is not trusted if Node.js reports ${code}`, () => {
      const fault = trustFault(Object.assign(new Error('x'), { code })) ?? assert.fail();
      assert.equal(fault.code, 'tls-untrusted');
      assert.match(fault.message, pattern);
    });

  it('is not blamed for other faults', () => {
    for (const code of ['ECONNREFUSED', 'ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO', undefined])
      assert.equal(trustFault(Object.assign(new Error('certificate'), { code })), undefined);
  });
});
