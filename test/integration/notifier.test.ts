/** The notifier on a RabbitMQ that is broken in every way it can be: each is told apart, and no announcement is lost. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { connect, type Channel, type ChannelModel } from 'amqplib';
import startNotifier from '../../src/actors/notifier/actor';
import type { Frame } from '../../src/contract/frame';
import type { Actor } from '../../src/protocol/actor';
import type { ActorReport } from '../../src/protocol/messages';
import { startBroker, type Broker } from '../../lab/broker';
import { waitUntil } from '../../lab/process';

const QUEUE = { name: 'v.detection', maxLength: 1000, overflow: 'reject-publish', deliveryLimit: 5 } as const;

interface Bench {
  readonly actor: Actor;
  readonly reports: readonly ActorReport[];
  readonly lines: readonly string[];
  /** Faults of the frames answered so far, by capture time; undefined is a confirm. */
  readonly answers: ReadonlyMap<number, string | undefined>;
  announce(...capturedAt: number[]): void;
  /** Announces again whatever was refused, as the store does, until all are confirmed. */
  confirmed(...capturedAt: number[]): Promise<void>;
  readonly fault: () => string | undefined;
}

describe('the notifier', () => {
  let broker: Broker;
  let connection: ChannelModel;
  let channel: Channel;
  const benches: Bench[] = [];

  before(async () => {
    broker = await startBroker();
    await open();
  });

  async function open(): Promise<void> {
    connection = await connect(broker.url);
    connection.on('error', () => undefined);
    channel = await connection.createChannel();
  }

  afterEach(async () => {
    await Promise.all(benches.splice(0).map(({ actor }) => actor.stop()));
    for (const queue of ['v.detection', 'v.detection.dead', 'v.other']) await channel.deleteQueue(queue);
    for (const exchange of ['v.frames', 'v.detection', 'v.detection.dead'])
      await channel.deleteExchange(exchange);
  });

  after(async () => {
    await connection.close().catch(() => undefined);
    await broker.stop();
  });

  function openNotifier(
    amqpUrl = broker.url,
    queue: { name?: string; maxLength?: number } = {},
    namespace = 'v',
    queuesFile?: string,
  ): Bench {
    const reports: ActorReport[] = [];
    const lines: string[] = [];
    const answers = new Map<number, string | undefined>();
    const write = (message: string) => lines.push(message);
    let fault: string | undefined = 'starting';
    const actor = startNotifier({
      parameters: {
        amqpUrl,
        namespace,
        expireMs: 120_000,
        queue: { ...QUEUE, ...queue },
        ...(queuesFile === undefined ? {} : { queuesFile }),
      },
      log: { error: write, warn: write, info: write, debug: write },
      report: (report) => {
        reports.push(report);
        if (report.kind === 'announced') answers.set(Number(report.id.split('-')[1]), report.fault?.code);
        if (report.kind === 'readiness') fault = report.fault?.code;
      },
    });
    const announce = (...times: number[]) => {
      for (const at of times) actor.receive({ kind: 'announce', frame: frameOf(at), delayed: false });
    };
    const bench: Bench = {
      actor,
      reports,
      lines,
      answers,
      announce,
      fault: () => fault,
      confirmed: async (...times) => {
        await waitUntil(
          `${times.length} are confirmed`,
          () => {
            const refused = times.filter((at) => answers.has(at) && answers.get(at) !== undefined);
            for (const at of refused) answers.delete(at);
            announce(...refused);
            return times.every((at) => answers.has(at) && answers.get(at) === undefined);
          },
          30_000,
        ).catch((error: unknown) => {
          const seen = JSON.stringify([...answers].filter(([at]) => times.includes(at)));
          throw new Error(`${(error as Error).message}; answers ${seen}; it said:\n${lines.join('\n')}`);
        });
      },
    };
    benches.push(bench);
    return bench;
  }

  async function ready(bench: Bench): Promise<Bench> {
    await waitUntil('it is ready', () => bench.fault() === undefined, 30_000);
    return bench;
  }

  /** Capture times of the messages in a queue, which are taken out. */
  async function drained(queue = 'v.detection'): Promise<number[]> {
    const times: number[] = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (message === false) return times;
      times.push(
        (JSON.parse(message.content.toString()) as { data: { capturedAt: number } }).data.capturedAt,
      );
    }
  }

  const connectionsOf = async (name: string) =>
    (await broker.control('list_connections', 'pid', 'client_properties'))
      .split('\n')
      .filter((line) => line.includes(`"${name}"`))
      .map((line) => line.split('\t')[0] ?? '');

  test('publishes frames on one connection, hands messages to others on another, declares on a third', async () => {
    await ready(openNotifier());
    await waitUntil('three connections', async () => {
      const names = ['vigil notifier', 'vigil notifier others', 'vigil notifier declares'];
      const counts = await Promise.all(names.map(async (name) => (await connectionsOf(name)).length));
      return counts.every((count) => count === 1);
    });
  });

  for (const [kind, args] of [
    ['classic queue', {}],
    ['quorum queue', { 'x-queue-type': 'quorum' }],
  ] as const)
    test(`a full ${kind} that somebody bound to the exchange holds nobody up, and repeats nothing`, async () => {
      const bench = await ready(openNotifier());
      const full = { 'x-max-length': 1, 'x-overflow': 'reject-publish', ...args };
      const [other, third] = [`v.other ${kind}`, `v.third ${kind}`];
      await channel.assertQueue(other, { arguments: full });
      await channel.assertQueue(third, { arguments: args });
      for (const queue of [other, third]) await channel.bindQueue(queue, 'v.frames', 'camera.#');
      const times = Array.from({ length: 200 }, (_, i) => i + 1);
      // In waves: what is on its way already when a quorum queue is full is taken.
      for (let sent = 0; sent < times.length; sent += 20) {
        bench.announce(...times.slice(sent, sent + 20));
        await waitUntil('all are answered', () => bench.answers.size === sent + 20);
      }
      assert.deepEqual(new Set(bench.answers.values()), new Set([undefined]));
      assert.deepEqual(await drained(), times);
      assert.deepEqual(await drained(third), times, 'others with room get each once');
      for (const queue of [other, third]) await channel.deleteQueue(queue);
      assert.match(bench.lines.join('\n'), /others have bound to exchange v\.frames refuses messages/);
    });

  test('a queue that an older version bound is unbound: no frame reaches it twice', async () => {
    const first = await ready(openNotifier());
    await first.actor.stop();
    await channel.bindQueue('v.detection', 'v.frames', 'camera.*.frame');
    const bench = await ready(openNotifier());
    await bench.confirmed(...(bench.announce(1, 2), [1, 2]));
    assert.deepEqual(await drained(), [1, 2]);
  });

  for (const old of ['v.detection', 'v.old'])
    test(`a queue ${old} that was renamed is unbound and kept with its messages, which is said and counted`, async () => {
      const file = path.join(mkdtempSync(path.join(tmpdir(), 'vigil-queues-')), 'queues.json');
      const first = await ready(openNotifier(broker.url, { name: old, maxLength: 2 }, 'v', file));
      await first.confirmed(...(first.announce(1, 2), [1, 2]));
      await first.actor.stop();
      await channel.bindQueue(old, 'v.frames', 'camera.*.frame');
      const bench = await ready(openNotifier(broker.url, { name: 'v.new' }, 'v', file));
      await bench.confirmed(...(bench.announce(3, 4), [3, 4]));
      assert.deepEqual(await drained('v.new'), [3, 4]);
      assert.ok(
        bench.lines.includes(
          `queue ${old}, of an earlier configuration, gets no more frames and holds 2 messages; consume them, then delete it: rabbitmqctl delete_queue ${old}`,
        ),
        bench.lines.join('\n'),
      );
      assert.equal(bench.actor.progress().facts[`old queue ${old}`], 2);
      assert.deepEqual(await drained(old), [1, 2]);
      for (const name of [old, 'v.new']) {
        await channel.deleteQueue(name);
        await channel.deleteQueue(`${name}.dead`);
        for (const exchange of [name, `${name}.dead`]) await channel.deleteExchange(exchange);
      }
    });

  test('a changed bound that the queue does not take is said with both values, and the one it has is shown', async () => {
    const first = await ready(openNotifier(broker.url, { maxLength: 7 }));
    await first.actor.stop();
    const bench = await ready(openNotifier(broker.url, { maxLength: 500 }));
    assert.match(
      bench.lines.join('\n'),
      /^queue v\.detection keeps x-max-length 7, the configuration's 500 is not applied: .* set another "queue\.name"/m,
    );
    assert.equal(bench.actor.progress().facts['queue v.detection'], '0 of 7');
  });

  test('the same frame announced ten times over is one message', async () => {
    const bench = await ready(openNotifier());
    for (let i = 0; i < 5; i++) bench.announce(1, 2, 3);
    await bench.confirmed(1, 2, 3);
    for (let i = 0; i < 5; i++) bench.announce(1, 2, 3);
    await bench.confirmed(1, 2, 3);
    assert.deepEqual(await drained(), [1, 2, 3]);
  });

  test('a full queue refuses, and takes what is announced again when there is room', async () => {
    const bench = await ready(openNotifier(broker.url, { maxLength: 3 }));
    const times = Array.from({ length: 20 }, (_, i) => i + 1);
    // One by one: what is on its way already when a quorum queue is full is taken.
    for (const at of times) {
      bench.announce(at);
      await waitUntil('it is answered', () => bench.answers.has(at));
    }
    assert.equal(bench.answers.get(20), 'broker-nack');
    const got: number[] = [];
    const confirming = bench.confirmed(...times);
    await waitUntil('all have come', async () => {
      got.push(...(await drained()));
      return got.length === times.length;
    });
    await confirming;
    assert.deepEqual(new Set(got), new Set(times));
  });

  test('a queue that stays full is told as that, on the same connection, until a message is confirmed', async () => {
    const bench = await ready(openNotifier(broker.url, { maxLength: 3 }));
    const before = await connectionsOf('vigil notifier');
    const [times, got] = [Array.from({ length: 9 }, (_, i) => i + 1), new Set<number>()];
    // One by one: what is on its way already when a quorum queue is full is taken.
    for (const at of times) {
      bench.announce(at);
      await waitUntil('it is answered', () => bench.answers.has(at));
    }
    const confirming = bench.confirmed(...times);
    await waitUntil('it is told', () => bench.fault() === 'broker-full', 30_000);
    assert.equal(bench.actor.progress().facts['rabbitmq'], 'broker-full');
    assert.match(bench.lines.join('\n'), /^queue v\.detection is full \(\d of 3 messages\); frames wait/m);
    assert.deepEqual(await connectionsOf('vigil notifier'), before);
    await waitUntil('all have come', async () => {
      for (const at of await drained()) got.add(at);
      return got.size === times.length;
    });
    await confirming;
    await waitUntil('it is ready', () => bench.fault() === undefined);
  });

  test('a message that reaches no queue is a failure, and the queue is declared again', async () => {
    const bench = await ready(openNotifier());
    await channel.deleteQueue('v.detection');
    bench.announce(1);
    await waitUntil('it is answered', () => bench.answers.size === 1);
    assert.equal(bench.answers.get(1), 'unroutable');
    await bench.confirmed(1);
    assert.deepEqual(await drained(), [1]);
  });

  test('a queue that was deleted is declared again though another one takes the messages', async () => {
    const bench = await ready(openNotifier());
    await channel.assertQueue('v.other');
    await channel.bindQueue('v.other', 'v.frames', 'camera.#');
    await channel.deleteQueue('v.detection');
    const isThere = async () =>
      (await broker.control('list_queues', 'name')).split('\n').includes('v.detection');
    await waitUntil('it is there again', isThere, 15_000);
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.deepEqual(await drained(), [1]);
  });

  test('an exchange that was deleted is declared again, and nothing is lost', async () => {
    const bench = await ready(openNotifier());
    await channel.deleteExchange('v.frames');
    bench.announce(1, 2, 3);
    await waitUntil('they are answered', () => bench.answers.size === 3);
    assert.deepEqual(new Set(bench.answers.values()), new Set(['broker-topology']));
    await bench.confirmed(1, 2, 3);
    assert.deepEqual((await drained()).sort(), [1, 2, 3]);
  });

  test('a connection closed by an operator is opened again', async () => {
    const bench = await ready(openNotifier());
    const [pid = ''] = await connectionsOf('vigil notifier');
    await broker.control('close_connection', pid, 'test');
    await waitUntil('it notices', () => bench.lines.some((line) => /closed the connection/.test(line)));
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.deepEqual(await drained(), [1]);
  });

  test('a memory alarm is told, holds nothing up for ever, and repeats nothing', async () => {
    const bench = await ready(openNotifier());
    bench.announce(1);
    await bench.confirmed(1);
    await broker.control('set_vm_memory_high_watermark', '0.00001');
    const times = Array.from({ length: 10 }, (_, i) => i + 2);
    await waitUntil('it is blocked', () => {
      if (bench.fault() !== 'broker-blocked') bench.announce(...times);
      return bench.fault() === 'broker-blocked';
    });
    bench.announce(...times);
    await broker.control('set_vm_memory_high_watermark', '0.4');
    await waitUntil('it is ready', () => bench.fault() === undefined);
    await bench.confirmed(...times);
    assert.deepEqual(
      (await drained()).sort((a, b) => a - b),
      [1, ...times],
    );
  });

  test('a broker that is frozen is sent one message, not all that wait', async () => {
    const bench = await ready(openNotifier());
    bench.announce(1);
    await bench.confirmed(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    broker.signal('SIGSTOP');
    try {
      const times = Array.from({ length: 10 }, (_, i) => i + 2);
      bench.announce(...times);
      await waitUntil('it is given up', () => bench.fault() !== undefined, 30_000);
      assert.equal(bench.fault(), 'broker-silent');
      broker.signal('SIGCONT');
      await bench.confirmed(...times);
      const got = await drained();
      assert.deepEqual(new Set(got), new Set([1, ...times]));
      assert.ok(got.length <= 12, `repeats: ${String(got)}`);
    } finally {
      broker.signal('SIGCONT');
    }
  });

  test('a user who may not declare publishes to what others declared, and says what is missing', async () => {
    const owner = await ready(openNotifier());
    await owner.actor.stop();
    await broker.control('add_user', 'writer', 'secret');
    await broker.control('set_permissions', 'writer', '^$', '^v\\.', '^$');
    const url = broker.url.replace(/\/\/.*@/, '//writer:secret@');
    const bench = await ready(openNotifier(url));
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.ok(
      bench.lines.some((line) =>
        /queue v.detection is used as it is: this user lacks the right "configure" on queue v.detection$/.test(
          line,
        ),
      ),
    );
    assert.ok(!bench.lines.some((line) => line.includes('secret')));
    assert.deepEqual(await drained(), [1]);
  });

  test('a user who may not write is told so, is not tried without pause, and works once allowed', async () => {
    const owner = await ready(openNotifier());
    await owner.actor.stop();
    await broker.control('add_user', 'reader', 'secret');
    await broker.control('set_permissions', 'reader', '^$', '^$', '.*');
    const bench = openNotifier(broker.url.replace(/\/\/.*@/, '//reader:secret@'));
    bench.announce(1);
    await waitUntil('it is refused', () => bench.answers.get(1) === 'broker-denied', 20_000);
    assert.ok(
      bench.lines.some((line) => /this user lacks the right "write" on exchange v\.frames;/.test(line)),
    );
    assert.ok(!bench.lines.some((line) => /refused the user name/.test(line)));
    const begun = bench.reports.length;
    const until = Date.now() + 4000;
    await waitUntil('four seconds', () => {
      bench.announce(1);
      return Date.now() > until;
    });
    const sessions = bench.reports
      .slice(begun)
      .filter((report) => report.kind === 'readiness' && report.fault === undefined).length;
    assert.ok(sessions <= 12, `${sessions} sessions in four seconds`);
    await broker.control('set_permissions', 'reader', '.*', '.*', '.*');
    await bench.confirmed(1);
  });

  for (const [what, change, code] of [
    ['a virtual host that is not there', (url: string) => `${url}nowhere`, 'broker-vhost'],
    ['a wrong password', (url: string) => url.replace(/:[^:@]*@/, ':wrong@'), 'broker-refused'],
    ['nobody on that port', (url: string) => url.replace(/:\d+\//, ':1/'), 'broker-unreachable'],
  ] as const)
    test(`${what} is told as ${code}`, async () => {
      const bench = openNotifier(change(broker.url));
      bench.announce(1);
      await waitUntil('it is answered', () => bench.answers.size === 1, 15_000);
      assert.equal(bench.answers.get(1), code);
    });

  test('a virtual host the user may not enter is told as that, by its name', async () => {
    await broker.control('add_user', 'stranger', 'secret');
    const bench = openNotifier(broker.url.replace(/\/\/.*@/, '//stranger:secret@'));
    bench.announce(1);
    await waitUntil('it is answered', () => bench.answers.size === 1, 15_000);
    assert.equal(bench.answers.get(1), 'broker-vhost');
    assert.match(bench.lines.join('\n'), /no virtual host "\/", or does not let this user into it/);
  });

  describe('with some of the rights on exchange, queue and dead letters', () => {
    const RIGHTS = ['configure', 'write', 'read'] as const;
    /** Suffixes of the names that the exchange, the queue, and both for dead letters have. */
    const OBJECTS = ['frames', 'detection', 'detection.dead'] as const;
    const ALL = RIGHTS.flatMap((right) => OBJECTS.map((object) => `${right} ${object}`));
    const DECLARED = ['nothing', 'the exchange', 'all but dead letters', 'all'] as const;
    type Declared = (typeof DECLARED)[number];

    interface Case {
      readonly namespace: string;
      readonly declared: Declared;
      readonly may: (what: string) => boolean;
    }

    /** A spread over all 512 combinations, and those that stand at an edge: none, all, each alone, all but one. */
    const EDGES = [0, 511, ...ALL.flatMap((_, i) => [1 << i, 511 - (1 << i)]), 0b000001000, 0b001001001];
    const MASKS = [...new Set([...EDGES, ...Array.from({ length: 12 }, (_, i) => (i * 211 + 37) % 512)])];
    const CASES: readonly Case[] = MASKS.flatMap((mask) =>
      DECLARED.map((declared, i) => ({
        namespace: `m${mask}-${i}`,
        declared,
        may: (what: string) => (mask & (1 << ALL.indexOf(what))) !== 0,
      })),
    );

    const regexOf = ({ namespace, may }: Case, right: string) =>
      `^(${OBJECTS.filter((object) => may(`${right} ${object}`))
        .map((object) => `${namespace}\\\\.${object.replace('.', '\\\\.')}`)
        .join('|')})$`;

    async function declare({ namespace, declared }: Case): Promise<void> {
      if (declared === 'nothing') return;
      await channel.assertExchange(`${namespace}.frames`, 'topic');
      if (declared === 'the exchange') return;
      const name = `${namespace}.detection`;
      await channel.assertQueue(name);
      await channel.bindQueue(name, `${namespace}.frames`, 'camera.*.frame');
      if (declared === 'all but dead letters') return;
      await channel.assertExchange(`${name}.dead`, 'fanout');
      await channel.assertQueue(`${name}.dead`);
      await channel.bindQueue(`${name}.dead`, `${name}.dead`, '');
    }

    /** What must become of a frame. */
    function expected({ declared, may }: Case): { code: string | undefined; says?: RegExp } {
      const exchange = declared !== 'nothing';
      const queue = declared === 'all' || declared === 'all but dead letters';
      if (!exchange && !may('configure frames'))
        return {
          code: 'broker-topology',
          says: /exchange \S+\.frames is missing.* lacks the right "configure" on exchange \S+\.frames/,
        };
      // Frames reach the queue by its own exchange.
      const direct = RIGHTS.every((right) => may(`${right} detection`)) && may('read frames');
      if (!may('write frames') && direct)
        return {
          code: undefined,
          says: /may miss messages: .* lacks the right "write" on exchange \S+\.frames/,
        };
      if (!may('write frames'))
        return { code: 'broker-denied', says: /lacks the right "write" on exchange \S+\.frames/ };
      if (queue) return { code: undefined };
      if (!may('configure detection'))
        return {
          code: 'unroutable',
          says: /queue \S+\.detection is missing.* lacks the right "configure" on queue \S+\.detection/,
        };
      if (!may('write detection'))
        return { code: 'unroutable', says: /lacks the right "write" on queue \S+\.detection/ };
      if (!may('read frames'))
        return { code: 'unroutable', says: /lacks the right "read" on exchange \S+\.frames/ };
      return { code: undefined };
    }

    before(async () => {
      const users = CASES.map((one) => {
        const [c, w, r] = RIGHTS.map((right) => regexOf(one, right));
        return `{<<"${one.namespace}">>,<<"${c ?? ''}">>,<<"${w ?? ''}">>,<<"${r ?? ''}">>}`;
      });
      await broker.control(
        'eval',
        `lists:foreach(fun({U,C,W,R}) -> ok = rabbit_auth_backend_internal:add_user(U, <<"secret">>, <<"test">>), ok = rabbit_auth_backend_internal:set_permissions(U, <<"/">>, C, W, R, <<"test">>) end, [${users.join(',')}]).`,
      );
      for (const one of CASES) await declare(one);
    });

    after(async () => {
      for (const { namespace } of CASES) {
        for (const name of ['detection', 'detection.dead']) await channel.deleteQueue(`${namespace}.${name}`);
        for (const name of ['frames', 'detection', 'detection.dead'])
          await channel.deleteExchange(`${namespace}.${name}`);
      }
    });

    for (const declared of DECLARED)
      test(`where ${declared} was declared by somebody else: works where it can, else names object and right`, async () => {
        for (const one of CASES.filter((other) => other.declared === declared)) {
          const url = broker.url.replace(/\/\/.*@/, `//${one.namespace}:secret@`);
          const bench = openNotifier(url, { name: `${one.namespace}.detection` }, one.namespace);
          bench.announce(1);
          await waitUntil('it is answered', () => bench.answers.has(1));
          const { code, says } = expected(one);
          const said = bench.lines.join('\n');
          const faults = bench.reports
            .map((report) => ('fault' in report ? (report.fault?.message ?? '') : ''))
            .join('\n');
          const rights = ALL.filter(one.may).join(', ');
          assert.equal(bench.answers.get(1), code, `${one.namespace} with ${rights}: ${said}`);
          if (says !== undefined) assert.match(`${said}\n${faults}`, says, rights);
          assert.doesNotMatch(said, /refused the user name|lost the exchange|secret/);
          await bench.actor.stop();
          benches.splice(benches.indexOf(bench), 1);
        }
      });
  });

  test('several hosts are tried in turn: refused, silent, then one that works', async () => {
    const silent = await listenSilently();
    const { port } = silent.address() as { port: number };
    const url = broker.url.replace('@127.0.0.1:', `@127.0.0.1:1,127.0.0.1:${port},127.0.0.1:`);
    const bench = await ready(openNotifier(url));
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.deepEqual(await drained(), [1]);
    silent.close();
  });

  test('a broker killed and started again gets all that was announced meanwhile', async () => {
    const bench = await ready(openNotifier(broker.url, { name: 'w.detection' }, 'w'));
    const times = Array.from({ length: 10 }, (_, i) => i + 1);
    await bench.confirmed(...(bench.announce(1), [1]));
    const restarted = broker.restart();
    bench.announce(...times);
    await restarted;
    await bench.confirmed(...times);
    await open();
    // What a queue takes in the first seconds after its declaration a killed broker loses: see docs/reliability.md.
    assert.deepEqual(
      (await drained('w.detection')).filter((at) => at !== 1).sort((a, b) => a - b),
      times.slice(1),
    );
  });
});

function frameOf(capturedAt: number): Frame {
  return { camera: 'c', capturedAt, sequence: capturedAt, width: 1, height: 1, format: 'jpeg', bytes: 1 };
}

/** Takes connections and never says a word. */
async function listenSilently(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
