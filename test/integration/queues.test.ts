/** Foreign queues and those of earlier configurations, as a real broker reports them: by Erlang and by HTTP. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type ChannelModel } from 'amqplib';
import { boundQueues, type BrokerView } from '../../src/connections/bound-queues';
import { managementView } from '../../src/connections/rabbitmq-management';
import { startBroker, type Broker } from '../../lab/broker';
import { waitUntil } from '../../lab/process';
import { freePort } from '../../lab/free-port';

describe('queues on a broker', () => {
  let broker: Broker;
  let connection: ChannelModel;
  let managementUrl: string;

  before(async () => {
    broker = await startBroker();
    const port = await freePort();
    managementUrl = `http://127.0.0.1:${port}`;
    await broker.control(
      'eval',
      `{ok, F} = application:get_env(rabbit, enabled_plugins_file), ok = file:write_file(F, "[rabbitmq_management].\n"),
       ok = application:set_env(rabbitmq_management, tcp_config, [{port, ${port}}, {ip, "127.0.0.1"}]),
       rabbit_plugins:ensure(F).`,
    );
    connection = await connect(broker.url);
    connection.on('error', () => undefined);
    const channel = await connection.createChannel();
    for (const name of ['v.frames', 'v.old', 'theirs']) await channel.assertExchange(name, 'topic');
    for (const name of ['v.detection', 'v.old', 'öde "q" /1', 'far', 'unbound'])
      await channel.assertQueue(name, { arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue('v.old', 'v.old', '');
    await channel.bindQueue('öde "q" /1', 'v.frames', 'camera.#');
    await channel.bindExchange('theirs', 'v.frames', '#');
    await channel.bindQueue('far', 'theirs', '#');
    await channel.consume('far', () => undefined, { noAck: true });
    for (const name of ['öde "q" /1', 'öde "q" /1', 'v.old']) channel.sendToQueue(name, Buffer.from('x'));
  });

  after(async () => {
    await connection.close().catch(() => undefined);
    await broker.stop();
  });

  for (const [how, view] of [
    ['asked by Erlang', () => broker.view()],
    ['asked by its management API', () => Promise.resolve(managementView(managementUrl, broker.url))],
  ] as const)
    test(`are reported with messages, consumers and bindings when it is ${how}`, async () => {
      const ask = async (from: BrokerView) =>
        boundQueues(from, {
          namespace: 'v',
          own: ['v.detection'],
          names: ['v.detection', 'v.old', 'v.gone'],
        });
      // A quorum queue counts its messages and consumers every 5 s, so both sources may lag by that much.
      const known = async () => {
        const queues = await ask(await view());
        const sum = (figure: 'messages' | 'consumers') =>
          queues.reduce((total, queue) => total + queue[figure], 0);
        return sum('messages') === 3 && sum('consumers') === 1;
      };
      await waitUntil('the messages and the consumer are counted', known, 30_000);
      assert.deepEqual(await ask(await view()), [
        { name: 'far', origin: 'foreign', messages: 0, consumers: 1, boundTo: ['v.frames'] },
        { name: 'v.old', origin: 'old', messages: 1, consumers: 0, boundTo: ['v.old'] },
        { name: 'öde "q" /1', origin: 'foreign', messages: 2, consumers: 0, boundTo: ['v.frames'] },
      ]);
    });

  test('are not reported by a management API to a user without access to it', async () => {
    const view = managementView(managementUrl.replace('//', '//somebody:hush@'), broker.url);
    await assert.rejects(view.bindings('v.frames'), /refused the user name or password, or the user may not/);
    await broker.control('add_user', 'untagged', 'hush');
    const untagged = managementView(managementUrl.replace('//', '//untagged:hush@'), broker.url);
    await assert.rejects(untagged.queue('far'), /give that user the tag "monitoring"/);
  });

  test('are not reported by a broker that was killed, which is stated', async () => {
    broker.signal('SIGKILL');
    await assert.rejects(broker.view(), { code: 'broker-call', message: /embedded RabbitMQ did not answer/ });
  });
});
