/** Editors and the daemon judge actors.json alike: a corpus of files, generated from the schema and by hand, valid and not. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import Ajv from 'ajv';
import { editorSchema } from '../../../src/config/editor-schema';
import { ConfigurationError } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';
import { ActorsFile } from '../../../src/config/schema';
import { seededRandom, type Random } from '../../../lab/random';

const FILES = 500;
const URLS = 1000;
const DIR = mkdtempSync(path.join(tmpdir(), 'vigil-corpus-'));
const CERTIFICATES = path.join(DIR, 'ca.pem');
writeFileSync(CERTIFICATES, rootCertificates[0] ?? '');
after(() => rmSync(DIR, { recursive: true }));

const isValidForEditors = new Ajv({ allErrors: true, logger: false }).compile(editorSchema() as object);

/** What the daemon says of a file; empty if it is valid. */
function saidByDaemon(file: unknown, environment: NodeJS.ProcessEnv): string {
  try {
    parseTopology(JSON.stringify(file), path.join(DIR, 'actors.json'), environment);
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, error as Error);
    return error.message;
  }
}

/** @returns whether the file is valid */
function agreed(file: unknown, environment: NodeJS.ProcessEnv = {}): boolean {
  const said = saidByDaemon(file, environment);
  const isValid = isValidForEditors(file);
  const errors = JSON.stringify(isValidForEditors.errors?.slice(0, 3));
  assert.equal(isValid, said === '', `${JSON.stringify(file)}\ndaemon: ${said}\neditor: ${errors}`);
  return isValid;
}

interface Schema {
  readonly type: string | readonly string[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly schemes?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly isServer?: boolean;
  readonly isHttp?: boolean;
}

const FILE = ActorsFile as unknown as Schema;

const HOSTS = [
  'cam',
  '10.0.0.7',
  '[2001:db8::1]',
  'kamera-ä.lan',
  'a,b',
  'a,,b',
  'a b',
  'a"b',
  'a$b',
  '',
  '[fe80::1%25eth0]',
  '[zz',
  'h%41',
  'ca_m',
];
const USERS = ['', 'u@', 'u:p%40@', 'u:p@w@', ':p@', 'u,v:p@', 'a@b,c@', 'u:100%@', 'u:p/q@', 'u:p p@', '@'];
const PORTS = ['', ':554', ':', ':0', ':65535', ':65536', ':99999', ':x', ':00080'];
const RESTS = [
  '',
  '/',
  '/0',
  '/3',
  '/123456',
  '/abc',
  '/a/b',
  '/live?x=1',
  '?db=2',
  '/0?db=x',
  '/v?heartbeat=5',
  '/v?heartbeat=x',
  '#f',
  '/a@b',
  '/a b',
  '/%2F',
  '/%',
  '/a\n',
  '/\u0085',
  '/…',
];
const SCHEMES = [
  'rtsp',
  'rtsps',
  'http',
  'HTTPS',
  'rtmp',
  'rtmps',
  'amqp',
  'amqps',
  'redis',
  'Rediss',
  'redis-sentinel',
  'redis-cluster',
  'rediss-cluster',
  'ftp',
  'file',
  'pipe',
];

/** Mostly plain, so that some are valid. */
function url(random: Random, schemes: readonly string[]): string {
  const mostly = (usual: string, others: readonly string[]) =>
    random.next() < 0.8 ? usual : random.pick(others);
  const scheme = mostly(random.pick(schemes), SCHEMES);
  const text = `${scheme}://${mostly('', USERS)}${mostly('cam', HOSTS)}${mostly('', PORTS)}${mostly('', RESTS)}`;
  return random.next() < 0.03
    ? random.pick(['', 'cam', 'rtsp:cam', 'rtsp:/cam', 'embedded', '/a.mp4', ' rtsp://cam'])
    : text;
}

/** Makes files: every key now and then, with values that are allowed more often than not. */
class Files {
  readonly environment: NodeJS.ProcessEnv = {};
  #variables = 0;
  #ids = 0;

  constructor(private readonly random: Random) {}

  object({ properties = {} }: Schema, at: string): Record<string, unknown> {
    const keys = Object.keys(properties).filter(() => this.random.next() < (at === '$' ? 0.3 : 0.2));
    const value: Record<string, unknown> = Object.fromEntries(
      keys.map((key) => [key, this.value(properties[key] as Schema, `${at}.${key}`)]),
    );
    if (this.random.next() < 0.01) value['unknown'] = 1;
    return value;
  }

  file(): Record<string, unknown> {
    const { cameras: _, ...file } = this.object(FILE, '$');
    const count = this.random.between(0, 2);
    return { ...file, cameras: Array.from({ length: count }, () => this.camera()) };
  }

  camera(): Record<string, unknown> {
    const schema = FILE.properties?.['cameras']?.items as Schema;
    const entry = this.object(schema, '$.cameras[N]');
    const given = ['url', 'still', 'file', 'test'].filter((key) => key in entry);
    const keep = this.random.pick(['url', 'still', 'file', 'test']);
    if (this.random.next() < 0.9) {
      for (const key of given) if (key !== keep) Reflect.deleteProperty(entry, key);
      entry[keep] ??= this.value(schema.properties?.[keep] as Schema, `$.cameras[N].${keep}`);
    }
    return { ...entry, id: this.random.next() < 0.95 ? `c${this.#ids++}` : this.text() };
  }

  value(schema: Schema, at: string): unknown {
    const { random } = this;
    if (random.next() < 0.006) return random.pick([null, true, 7, -1, '', 'x', [], [7], {}, { x: 1 }, 0.5]);
    if (schema.isServer === true) return this.server(schema, at);
    if (schema.isHttp === true) return random.next() < 0.2 ? false : this.http(schema, at);
    // What "notify" may say is more than JSON Schema can: notify.test.ts.
    if (schema.type === 'array' && schema.items?.type === 'object') return [];
    if (schema.type === 'array') return random.next() < 0.5 ? [] : [this.textFor(schema.items as Schema, at)];
    if (schema.type === 'object') return this.object(schema, at);
    if (schema.type === 'boolean') return schema.const ?? random.next() < 0.5;
    if (schema.type === 'string') return this.textFor(schema, at);
    // Deadlines have to add up, which no JSON Schema can say.
    const usual = (schema as { default?: number }).default;
    if (/shutdownMs|drainMs/.test(at)) return random.next() < 0.97 ? (usual ?? 2500) : -5;
    const { minimum = 0, maximum = 1e9 } = schema;
    return random.pick([
      minimum,
      maximum,
      minimum,
      maximum,
      Math.floor((minimum + maximum) / 2),
      random.next() < 0.06 ? minimum - 1 : minimum,
      random.next() < 0.06 ? maximum + 0.5 : maximum,
    ]);
  }

  server(schema: Schema, at: string): unknown {
    const { random } = this;
    if (random.next() < 0.2) return 'embedded';
    if (random.next() < 0.5) return this.textFor(schema, at);
    const settings = this.object(schema, at);
    const [own, others] =
      random.next() < 0.5
        ? [{ embedded: true }, ['url', 'username', 'password']]
        : [{ url: url(random, schema.schemes ?? []) }, ['embedded', 'port', 'maxMemoryBytes']];
    if (random.next() < 0.85) for (const key of others) Reflect.deleteProperty(settings, key);
    return random.next() < 0.9 ? { ...settings, ...own } : settings;
  }

  /** Files are not there; an address may be one of this machine alone. */
  http(schema: Schema, at: string): unknown {
    const { cert: _cert, key: _key, ...settings } = this.object(schema, at);
    const { random } = this;
    const hosts = [
      '127.0.0.1',
      '127.9.9.9',
      'localhost',
      '::1',
      '0.0.0.0',
      '::',
      '10.0.0.7',
      'cam',
      '1127.0.0.1',
    ];
    return 'host' in settings && random.next() < 0.9 ? { ...settings, host: random.pick(hosts) } : settings;
  }

  textFor(schema: Schema, at: string): string {
    const { random } = this;
    if (at.endsWith('.ca')) return CERTIFICATES;
    const allowed =
      schema.enum ??
      (schema.schemes === undefined ? undefined : [url(random, schema.schemes)]) ??
      (schema.pattern === undefined
        ? at.endsWith('.host')
          ? ['127.0.0.1', 'localhost']
          : ['a.b', 'ä', '😀', '$', '$a', '}{', '${', '$$', '${a']
        : ['ab-1', 'x'.repeat(64), 'x'.repeat(32)].filter((text) =>
            new RegExp(schema.pattern ?? '', 'u').test(text),
          ));
    const value = random.pick(allowed);
    // A variable that holds what is allowed for every source.
    const fits = schema.schemes === undefined || saidByDaemon({ cameras: [], redis: value }, {}) === '';
    if (
      !['udp', 'keyframe'].includes(value) &&
      random.next() < 0.1 &&
      (schema.schemes === undefined || (fits && at === '$.redis'))
    ) {
      const name = `V${this.#variables++}`;
      this.environment[name] = value;
      return `\${${name}}`;
    }
    return random.next() < 0.03 ? this.text() : value;
  }

  text(): string {
    const { random } = this;
    return random.pick([
      '',
      'a b',
      '${A-B}',
      '${}',
      '$${A}',
      '$$${A}',

      '${ A}',
      'x${',
      '\ud800',
      'a'.repeat(300),
      'https://h/',
      'a:b',
      'TCP',
    ]);
  }
}

type Entry = Record<string, unknown>;
const camera = (entry: Entry): Entry => ({ cameras: [{ id: 'a', ...entry }] });
const rest = (entry: Entry): Entry => ({ cameras: [], ...entry });

const OF_CAMERA = FILE.properties?.['cameras']?.items?.properties;
const PLACES: Readonly<Record<string, Schema | undefined>> = {
  url: OF_CAMERA?.['url'],
  still: OF_CAMERA?.['still'],
  redis: FILE.properties?.['redis'],
  server: FILE.properties?.['redis'],
  rabbitmq: FILE.properties?.['rabbitmq'],
};

describe('a generated configuration', () => {
  it('is judged alike by editors and by the daemon', (t) => {
    const random = seededRandom(t);
    let valid = 0;
    for (let i = 0; i < FILES; i++) {
      const files = new Files(random);
      const file = files.file();
      // The one reference that `text` makes names no variable here: what is not set is for the daemon alone.
      if (agreed(file, { ...files.environment, A: 'a' })) valid++;
    }
    t.diagnostic(`${valid} of ${FILES} are valid`);
    assert.ok(valid > FILES / 10 && valid < FILES * 0.9, `${valid} of ${FILES} are valid`);
  });

  it('is judged alike whatever the URL of its one source or server', (t) => {
    const random = seededRandom(t);
    let valid = 0;
    for (let i = 0; i < URLS; i++) {
      const key = random.pick(['url', 'still', 'redis', 'rabbitmq', 'server']);
      const { schemes = [] } = PLACES[key] ?? assert.fail();
      const text = url(random, schemes);
      const file =
        key === 'url' || key === 'still'
          ? camera({ [key]: text })
          : rest(key === 'server' ? { redis: { url: text } } : { [key]: text });
      if (agreed(file)) valid++;
    }
    assert.ok(valid > URLS / 5 && valid < URLS * 0.8, `${valid} of ${URLS} are valid`);
  });

  it('is judged alike with any one value replaced', (t) => {
    const random = seededRandom(t);
    const wrong = [
      null,
      true,
      0,
      7,
      -1,
      1e12,
      0.5,
      '',
      'x',
      'rtsp://h/',
      '${V}',
      '$${V}',
      '${V-}',
      [],
      {},
      { url: 'x' },
    ];
    for (const [key, schema] of Object.entries(FILE.properties ?? {}))
      for (const value of wrong) agreed({ cameras: [], [key]: value }, fitting(schema));
    assert.ok(random.next() < 1);
  });
});

/** `${V}` as a value that fits. */
function fitting({ enum: values, type, pattern }: Schema): NodeJS.ProcessEnv {
  return { V: values?.[0] ?? (Array.isArray(type) ? 'embedded' : pattern === undefined ? 'rtsp' : 'a') };
}

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
    ['a scheme that is none', camera({ url: 'ftp://h' })],
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
    ['a database that is no number', rest({ redis: 'redis://h/abc' })],
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
