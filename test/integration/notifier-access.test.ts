/** The notifier on a RabbitMQ where it lacks permissions: what is allowed works, and what is missing is named. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { waitUntil } from '../../lab/process';
import { NotifierStage } from '../../lab/notifier-bench';

describe('the notifier', () => {
  const stage = NotifierStage.inSuite();

  test('publishes, as a user who may not declare, to objects that others declared, and reports what is missing', async () => {
    const owner = await stage.ready();
    await owner.actor.stop();
    await stage.broker.control('add_user', 'writer', 'secret');
    await stage.broker.control('set_permissions', 'writer', '^$', '^v\\.', '^$');
    const url = stage.urlOf('writer');
    const bench = await stage.ready(url);
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.ok(
      bench.lines.some((line) =>
        /queue v.detection is used as it is: this user lacks the right "configure" on queue v.detection$/.test(
          line,
        ),
      ),
    );
    assert.ok(!bench.lines.some((line) => line.includes('secret')));
    assert.deepEqual(await stage.drained(), [1]);
  });

  test('reports a user without write permission, retries with pauses, and works once it is allowed', async () => {
    const owner = await stage.ready();
    await owner.actor.stop();
    await stage.broker.control('add_user', 'reader', 'secret');
    await stage.broker.control('set_permissions', 'reader', '^$', '^$', '.*');
    const bench = stage.open(stage.urlOf('reader'));
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
    await stage.broker.control('set_permissions', 'reader', '.*', '.*', '.*');
    await bench.confirmed(1);
  });

  for (const [what, change, code] of [
    ['a virtual host that is not there', (url: string) => `${url}nowhere`, 'broker-vhost'],
    ['a wrong password', (url: string) => url.replace(/:[^:@]*@/, ':wrong@'), 'broker-refused'],
    ['nobody on that port', (url: string) => url.replace(/:\d+\//, ':1/'), 'broker-unreachable'],
  ] as const)
    test(`reports ${what} as ${code}`, async () => {
      const bench = stage.open(change(stage.broker.url));
      bench.announce(1);
      await waitUntil('it is answered', () => bench.answers.size === 1, 15_000);
      assert.equal(bench.answers.get(1), code);
    });

  test('reports a virtual host that the user may not access by name', async () => {
    await stage.broker.control('add_user', 'stranger', 'secret');
    const bench = stage.open(stage.urlOf('stranger'));
    bench.announce(1);
    await waitUntil('it is answered', () => bench.answers.size === 1, 15_000);
    assert.equal(bench.answers.get(1), 'broker-vhost');
    assert.match(bench.lines.join('\n'), /no virtual host "\/", or does not let this user into it/);
  });

  describe('with some of the rights on exchange, queue and dead letters', () => {
    const RIGHTS = ['configure', 'write', 'read'] as const;
    /** Suffixes of the names of the exchange, the queue, and both dead-letter objects. */
    const OBJECTS = ['frames', 'detection', 'detection.dead'] as const;
    const ALL = RIGHTS.flatMap((right) => OBJECTS.map((object) => `${right} ${object}`));
    const DECLARED = ['nothing', 'the exchange', 'all but dead letters', 'all'] as const;
    type Declared = (typeof DECLARED)[number];

    interface Case {
      readonly namespace: string;
      readonly declared: Declared;
      readonly may: (what: string) => boolean;
    }

    /** Edge cases (none, all, each right alone, all but one), completed by a spread over all 512 combinations. */
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
      await stage.channel.assertExchange(`${namespace}.frames`, 'topic');
      if (declared === 'the exchange') return;
      const name = `${namespace}.detection`;
      await stage.channel.assertQueue(name);
      await stage.channel.bindQueue(name, `${namespace}.frames`, 'camera.*.frame');
      if (declared === 'all but dead letters') return;
      await stage.channel.assertExchange(`${name}.dead`, 'fanout');
      await stage.channel.assertQueue(`${name}.dead`);
      await stage.channel.bindQueue(`${name}.dead`, `${name}.dead`, '');
    }

    /** The expected fate of a frame. */
    function expected({ declared, may }: Case): { code: string | undefined; says?: RegExp } {
      const exchange = declared !== 'nothing';
      const queue = declared === 'all' || declared === 'all but dead letters';
      if (!exchange && !may('configure frames'))
        return {
          code: 'broker-topology',
          says: /exchange \S+\.frames is missing.* lacks the right "configure" on exchange \S+\.frames/,
        };
      // Frames reach the queue only through its own exchange.
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
      await stage.broker.control(
        'eval',
        `lists:foreach(fun({U,C,W,R}) -> ok = rabbit_auth_backend_internal:add_user(U, <<"secret">>, <<"test">>), ok = rabbit_auth_backend_internal:set_permissions(U, <<"/">>, C, W, R, <<"test">>) end, [${users.join(',')}]).`,
      );
      for (const one of CASES) await declare(one);
    });

    after(async () => {
      for (const { namespace } of CASES) {
        for (const name of ['detection', 'detection.dead'])
          await stage.channel.deleteQueue(`${namespace}.${name}`);
        for (const name of ['frames', 'detection', 'detection.dead'])
          await stage.channel.deleteExchange(`${namespace}.${name}`);
      }
    });

    for (const declared of DECLARED)
      test(`works if possible, else names the object and the missing permission: ${declared} declared by another user`, async () => {
        for (const one of CASES.filter((other) => other.declared === declared)) {
          const url = stage.urlOf(one.namespace);
          const bench = stage.open(url, { name: `${one.namespace}.detection` }, one.namespace);
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
          await stage.close(bench);
        }
      });
  });

  test('tries several hosts in turn: one that refuses, one that is silent, one that works', async () => {
    const silent = await listenSilently();
    const { port } = silent.address() as { port: number };
    const url = stage.broker.url.replace('@127.0.0.1:', `@127.0.0.1:1,127.0.0.1:${port},127.0.0.1:`);
    const bench = await stage.ready(url);
    await bench.confirmed(...(bench.announce(1), [1]));
    assert.deepEqual(await stage.drained(), [1]);
    silent.close();
  });
});

/** Accepts connections and never sends anything. */
async function listenSilently(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
