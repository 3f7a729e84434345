/** Generated configurations, valid and not. */
import { type Random } from '../random';
import { CERTIFICATES, saidByDaemon } from './agreement';
import { FILE, type Schema } from './schema';
import { url } from './urls';

/** Makes files: every key occurs occasionally, with values that are usually allowed. */
export class Files {
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
    // A fleet's servers are remote ones, and its files and URLs have rules of their own: fleet.test.ts.
    const { cameras: _cameras, fleet: _fleet, ...file } = this.object(FILE, '$');
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
    // Whether a file is there, no JSON Schema can say.
    if (at.endsWith('.ca')) return random.next() < 0.02 ? 7 : CERTIFICATES;
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
