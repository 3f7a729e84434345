/** The management API of a RabbitMQ: where it is in actors.json, and each way in which it gives no answer. */
import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { managementView } from '../../../src/connections/rabbitmq-management';
import { ConfigurationError } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';

const AMQP = 'amqp://us%40er:hush%2F1@one,two:5673/a%2Fb';

describe('the management API', () => {
  let server: Server;
  let answer: (response: ServerResponse) => void;
  const asked: { url: string | undefined; authorization: string | undefined }[] = [];
  const url = (rest = '', login = '') =>
    `http://${login}127.0.0.1:${(server.address() as AddressInfo).port}${rest}`;

  before(async () => {
    server = createServer(({ url: path, headers: { authorization } }, response) => {
      asked.push({ url: path, authorization });
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is asked for the virtual host of the broker, below its own path, with the credentials nearest to it', async () => {
    asked.length = 0;
    answer = (response) => response.end('[]');
    await managementView(url('/mq/'), AMQP).bindings('v/frames');
    await managementView(url('', 'm:s%3Ah@'), AMQP).bindings('x');
    await managementView(url(), 'amqp://u:p@host').bindings('x');
    const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
    assert.deepEqual(asked, [
      {
        url: '/mq/api/exchanges/a%2Fb/v%2Fframes/bindings/source',
        authorization: basic('us@er:hush/1'),
      },
      { url: '/api/exchanges/a%2Fb/x/bindings/source', authorization: basic('m:s:h') },
      { url: '/api/exchanges/%2F/x/bindings/source', authorization: basic('u:p') },
    ]);
  });

  const json = (status: number, value: unknown) => (response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const faults: readonly [string, (response: ServerResponse) => unknown, RegExp][] = [
    [
      'refuses the credentials',
      json(401, { reason: 'Login failed' }),
      /refused the user name or password, or/,
    ],
    ['refuses the user', json(403, {}), /give that user the tag "monitoring"/],
    [
      'knows no such virtual host',
      json(404, { error: 'Object Not Found' }),
      /HTTP 404; check "managementUrl"$/,
    ],
    [
      'fails',
      (response) => response.writeHead(500).end('oops'),
      /answers with HTTP 500; check "managementUrl"$/,
    ],
    [
      'leads elsewhere',
      (response) => response.writeHead(302, { location: '/' }).end(),
      /answers with HTTP 302/,
    ],
    ['is a web page', (response) => response.end('<html>'), /does not answer as RabbitMQ's management API/],
    ['is another API', json(200, { ok: true }), /does not answer as RabbitMQ's management API/],
    ['lists something else', json(200, [1, null]), /does not answer as RabbitMQ's management API/],
    [
      'hangs up',
      (response) => response.destroy(),
      /cannot be reached \(ECONNRESET\); check "managementUrl", and/,
    ],
    ['never answers', () => undefined, /did not answer within 200 ms; check "managementUrl"$/],
    ['stops in the middle', (response) => response.write('['), /did not answer within 200 ms/],
  ];
  for (const [what, does, words] of faults)
    it(`that ${what} is reported as such, in a sentence without its password`, async () => {
      answer = does;
      await assert.rejects(
        managementView(url('', 'u:hush@'), AMQP, 200).bindings('v.frames'),
        (error: Error) => {
          assert.equal((error as NodeJS.ErrnoException).code, 'broker-management');
          assert.match(error.message, /^RabbitMQ's management API at http:\/\/\S*127\.0\.0\.1:\d+\S* /);
          assert.match(error.message, words);
          assert.doesNotMatch(error.message, /hush/);
          return true;
        },
      );
    });

  it('that is missing is reported as such', async () => {
    await assert.rejects(managementView('http://127.0.0.1:1', AMQP).queue('q'), {
      message:
        'RabbitMQ\'s management API at http://127.0.0.1:1 cannot be reached (nothing listens there); check "managementUrl", and that the broker\'s management plugin is enabled',
    });
  });

  it('knows no queue that has been deleted, and has no figures for a new one', async () => {
    answer = json(404, { error: 'Object Not Found' });
    assert.equal(await managementView(url(), AMQP).queue('q'), undefined);
    answer = json(200, { name: 'q' });
    assert.deepEqual(await managementView(url(), AMQP).queue('q'), { messages: 0, consumers: 0 });
  });
});

describe('"managementUrl"', () => {
  const parsed = (servers: object) =>
    parseTopology(JSON.stringify({ cameras: [], ...servers }), '/a.json', {});

  it('is none unless it is given', () => {
    assert.deepEqual(parsed({ rabbitmq: 'amqp://b/' }).rabbitmq, { kind: 'remote', url: 'amqp://b/' });
    const { rabbitmq } = parsed({ rabbitmq: { url: 'amqp://b/', managementUrl: 'https://u:p%40@b:1/x' } });
    assert.equal(rabbitmq.kind === 'remote' && rabbitmq.managementUrl, 'https://u:p%40@b:1/x');
  });

  const MANAGEMENT = { managementUrl: 'http://b:15672' };
  for (const [what, servers, words] of [
    [
      'of Redis',
      { redis: { url: 'redis://r', ...MANAGEMENT } },
      /^\$\.redis\.managementUrl: unknown key; "managementUrl" belongs in \$\.rabbitmq/,
    ],
    [
      'of an embedded RabbitMQ',
      { rabbitmq: { embedded: true, ...MANAGEMENT } },
      /the embedded one needs none; remove it/,
    ],
    [
      'with a query',
      { rabbitmq: { url: 'amqp://b', managementUrl: 'http://b/?a=hush' } },
      /more than a host and a path/,
    ],
    [
      'of another kind',
      { rabbitmq: { url: 'amqp://b', managementUrl: 'amqp://u:hush@b' } },
      /^\$\.rabbitmq\.managementUrl: /,
    ],
    ['that is none', { rabbitmq: { url: 'amqp://b', managementUrl: '' } }, /^\$\.rabbitmq\.managementUrl: /],
  ] as const)
    it(`${what} is refused in a sentence`, () =>
      assert.throws(
        () => parsed(servers),
        (error: unknown) => {
          assert.ok(error instanceof ConfigurationError);
          const [fault, ...more] = error.faults.map(({ path, problem }) => `${path}: ${problem}`);
          assert.match(fault ?? '', words);
          assert.deepEqual(more, []);
          assert.doesNotMatch(error.message, /hush/);
          return true;
        },
      ));
});
