/** docs/asyncapi.json is valid AsyncAPI 3.0 and describes every message that a daemon sends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import Ajv, { type ValidateFunction } from 'ajv';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import { startDaemon, type Daemon } from '../../lab/daemon';
import { listen, newNamespace, remoteServers, type Listener } from '../../lab/events';
import { freePort } from '../../lab/free-port';
import { waitUntil } from '../../lab/process';
import { testServers } from '../../lab/servers';

interface Document {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, unknown>>;
  readonly components: { readonly messages: Readonly<Record<string, { payload: object }>> };
}

/** A gap that lasts is reported once a minute. */
const DEADLINE_MS = 90_000;

const FILE = path.resolve(__dirname, '../../docs/asyncapi.json');
const document = JSON.parse(readFileSync(FILE, 'utf8')) as Document;

test('the document is valid under the schema that AsyncAPI publishes, and a damaged one is not', () => {
  const file = require.resolve('@asyncapi/specs/schemas/3.0.0.json');
  // The AsyncAPI schema embeds the JSON Schema meta-schema and uses formats of its own.
  const options = {
    strict: false,
    meta: false,
    validateSchema: false,
    validateFormats: false,
    logger: false,
  } as const;
  const validate = new Ajv(options).compile(JSON.parse(readFileSync(file, 'utf8')) as object);
  assert.ok(validate(document), JSON.stringify(validate.errors));
  const { frame } = document.channels;
  for (const damaged of [
    { ...document, asyncapi: '2.6.0' },
    { ...document, channels: { frame: { ...(frame as object), address: 7 } } },
    { ...document, operations: { 'send-frame': { action: 'sends' } } },
  ])
    assert.ok(!validate(damaged));
});

describe('messages of a daemon', () => {
  const namespace = newNamespace();
  const kinds = ['frame', 'state', 'gap'];
  const validators = Object.values(document.components.messages).map(({ payload }) =>
    new Ajv().compile<{ type: string }>(payload),
  );
  let events: Listener;
  let daemon: Daemon;
  let connection: ChannelModel;
  let channel: Channel;

  before(async () => {
    events = await listen(namespace);
    connection = await connect(testServers().amqpUrl);
    channel = await connection.createChannel();
    daemon = startDaemon({
      config: {
        ...{ namespace, ...remoteServers(), queue: { required: false } },
        cameras: [
          // Its ffmpeg takes longer to start than a period: there is a gap in front of its first picture.
          { id: 'gate', test: 'testsrc2', width: 64, tags: ['door'], rate: 5 },
          { id: 'dead', url: `rtsp://127.0.0.1:${await freePort()}/none` },
        ],
        consumers: { plates: { events: kinds }, tasks: { events: kinds, protocol: 'celery' } },
      },
    });
  });

  after(async () => {
    await daemon.stop();
    await events.close();
    await connection.close();
  });

  /** The number of kinds among these messages; each message fits exactly one kind of the document. */
  const kindsOf = (sent: readonly unknown[]) => {
    const matching = sent.map((event) => {
      const names = validators.filter((validate: ValidateFunction) => validate(event));
      assert.equal(names.length, 1, JSON.stringify(event));
      return validators.indexOf(names[0] as (typeof validators)[number]);
    });
    return new Set(matching).size;
  };
  const drain = async (queue: string, bodies: unknown[], eventOf: (body: unknown) => unknown) => {
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (message === false) return;
      bodies.push(eventOf(JSON.parse(message.content.toString())));
    }
  };

  test('sent to its exchange are as documented: frames, states and gaps', async () => {
    const sent = () => events.received.map(({ event }) => event);
    await waitUntil('all kinds have come', () => kindsOf(sent()) === kinds.length, DEADLINE_MS);
  });

  for (const [service, protocol, eventOf] of [
    ['plates', 'CloudEvents', (body: unknown) => body],
    ['tasks', 'arguments of tasks', (body: unknown) => (body as [[unknown]])[0][0]],
  ] as const)
    test(`sent to the queue of a service, as ${protocol}, are as documented: frames, states and gaps`, async () => {
      const sent: unknown[] = [];
      await waitUntil(
        'all kinds have come',
        async () => {
          await drain(`${namespace}.${service}`, sent, eventOf);
          return kindsOf(sent) === kinds.length;
        },
        DEADLINE_MS,
      );
    });
});
