/** Editors and the daemon judge actors.json alike: files written by hand, valid and not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { agreed, saidByDaemon } from '../../../lab/corpus/agreement';

type Entry = Record<string, unknown>;
const camera = (entry: Entry): Entry => ({ cameras: [{ id: 'a', ...entry }] });
const rest = (entry: Entry): Entry => ({ cameras: [], ...entry });

describe('a configuration', () => {
  const valid: readonly [string, Entry][] = [
    ['a variable in an enum', camera({ url: 'rtsp://h', transport: '${TCP}' })],
    ['a variable in an id', { cameras: [{ id: 'cam-${ID}', test: 'testsrc2' }] }],
    ['a variable in a namespace', rest({ namespace: '${ID}' })],
    ['a variable in the name of a queue', rest({ queue: { name: 'q.${ID}' } })],
    ['a variable in a log level', rest({ log: { level: '${LEVEL}' } })],
    ['a variable for a server', rest({ redis: '${REDIS}' })],
    ['a variable for a password in a URL', rest({ rabbitmq: 'amqp://u:${ID}@h/v' })],
    ['a variable for a scheme', camera({ url: '${RTSP}://h/' })],
    ['a scheme in capitals', camera({ url: 'RTSP://h/' })],
    ['a port of an embedded server', rest({ redis: { embedded: true, port: 7000 } })],
    ['nodes of a cluster', rest({ redis: 'redis-cluster://a:1,b:2' })],
    ['credentials of all cameras', rest({ cameraDefaults: { username: 'u', password: '${ID}' } })],
    ['a keyframe of a stream', camera({ url: 'rtsp://h', format: 'keyframe' })],
    ['no HTTP server', rest({ http: false })],
    ['an HTTP server for all, with a token', rest({ http: { host: '0.0.0.0', token: '${ID}' } })],
    ['a variable for an address of this machine', rest({ http: { host: '${HERE}' } })],
    ['names of an HTTP server', rest({ http: { names: ['cams.example.org'] } })],
    ['UDP where there is RTSP', camera({ url: 'rtsp://h', transport: 'udp' })],
  ];
  const invalid: readonly [string, Entry][] = [
    ['no source', camera({})],
    ['two sources', camera({ url: 'rtsp://h', test: 'testsrc2' })],
    ['two sources that are not URLs', camera({ file: 'a.mp4', test: 'testsrc2' })],
    ['an unknown scheme', camera({ url: 'ftp://h' })],
    ['a local file as a stream', camera({ url: 'file:///a' })],
    ['a stream as a still picture', camera({ still: 'rtsp://h/' })],
    ['a stream as a file', camera({ file: 'rtsp://h/' })],
    ['a wrong scheme beside a variable', camera({ url: 'ftp://${ID}/' })],
    ['a server that is an empty object', rest({ redis: {} })],
    ['a server that is a user name', rest({ redis: { username: 'u' } })],
    ['a server embedded and elsewhere', rest({ redis: { embedded: true, url: 'redis://h' } })],
    ['a port beside a URL', rest({ redis: { url: 'redis://h', port: 1 } })],
    ['a password for an embedded server', rest({ rabbitmq: { embedded: true, password: 'p' } })],
    ['a memory limit for RabbitMQ', rest({ rabbitmq: { embedded: true, maxMemoryBytes: 20_000_000 } })],
    ['redis over amqp', rest({ redis: 'amqp://h' })],
    ['a database that is not a number', rest({ redis: 'redis://h/abc' })],
    ['a keyframe of a test picture', camera({ test: 'testsrc2', format: 'keyframe' })],
    ['a transport of a still picture', camera({ still: 'http://h/', transport: 'tcp' })],
    ['UDP over HTTP', camera({ url: 'http://h/', transport: 'udp' })],
    ['redirects of RTSP', camera({ url: 'rtsp://h/', redirects: 'any-host' })],
    ['sampling of a test picture', camera({ test: 'testsrc2', sampling: 'all' })],
    ['credentials of a file', camera({ file: 'a.mp4', username: 'u' })],
    ['a certificate to verify without TLS', camera({ url: 'rtsp://h', tls: { verify: true } })],
    ['a reference that names no variable', camera({ url: 'rtsp://h/', password: '${A-B}' })],
    ['a literal that looks like a variable in an enum', rest({ log: { level: '$${LEVEL}' } })],
    ['an HTTP server for all without a token', rest({ http: { host: '0.0.0.0' } })],
    ['an HTTP server for a network without a token', rest({ http: { host: '::', port: 80 } })],
    ['an HTTP server that is true', rest({ http: true })],
    ['a token with a blank', rest({ http: { token: 'a b' } })],
    ['a certificate without a key', rest({ http: { cert: 'a.pem' } })],
    ['a key without a certificate', rest({ http: { key: 'a.pem' } })],
    ['half a character', camera({ url: 'rtsp://h/', password: '\ud800' })],
  ];
  const environment = {
    TCP: 'tcp',
    ID: 'x',
    LEVEL: 'warn',
    REDIS: 'embedded',
    RTSP: 'rtsp',
    HERE: '127.0.0.1',
  };
  for (const [what, file] of valid)
    it(`with ${what} is valid for both`, () =>
      assert.ok(agreed(file, environment), saidByDaemon(file, environment)));
  for (const [what, file] of invalid)
    it(`with ${what} is valid for neither`, () => assert.ok(!agreed(file, environment)));
});
