/** What Redis and RabbitMQ report when they refuse, in plain language: each fault is called what it is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brokerFault } from '../../../src/connections/rabbitmq-fault';
import { redisFault } from '../../../src/connections/redis-fault';

interface Row {
  readonly text: string;
  readonly code: string;
  readonly says: RegExp;
  readonly url?: string;
  readonly command?: { readonly name: string; readonly args: readonly unknown[] };
}

const SET = { name: 'set', args: ['v:frame:c:1:1x1:jpeg', Buffer.from('picture')] };

const REDIS: readonly Row[] = [
  {
    text: 'WRONGPASS invalid username-password pair or user is disabled.',
    code: 'redis-refused',
    says: /user name or password, or that user is switched off/,
  },
  { text: 'ERR invalid password', code: 'redis-refused', says: /user name or password/ },
  {
    text: 'NOAUTH Authentication required.',
    code: 'redis-refused',
    says: /did not take the user name and password/,
  },
  {
    text: 'NOAUTH Authentication required.',
    url: 'redis://host:6379',
    code: 'redis-refused',
    says: /asks for a password, and its URL has none/,
  },
  {
    text: "NOPERM this user has no permissions to run the 'set' command or its subcommand",
    code: 'redis-denied',
    says: /command SET; its password is right, its ACL lacks \+set$/,
  },
  {
    text: "NOPERM User user has no permissions to run the 'client|setname' command",
    code: 'redis-denied',
    says: /command CLIENT SETNAME;.*lacks \+client\|setname$/,
  },
  {
    text: 'NOPERM this user has no permissions to access one of the keys used as arguments',
    command: SET,
    code: 'redis-denied',
    says: /SET of the key v:frame:c:1:1x1:jpeg; its password is right/,
  },
  {
    text: 'NOPERM No permissions to access a key',
    command: SET,
    code: 'redis-denied',
    says: /lacks the key's pattern/,
  },
  {
    text: 'NOPERM No permissions to access a channel',
    command: { name: 'publish', args: ['c'] },
    code: 'redis-denied',
    says: /channel that PUBLISH uses/,
  },
  { text: 'NOPERM No permissions to access database', code: 'redis-denied', says: /the database of its URL/ },
  {
    text: 'DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user.',
    code: 'redis-protected',
    says: /protected mode/,
  },
  {
    text: "OOM command not allowed when used memory > 'maxmemory'.",
    code: 'redis-full',
    says: /out of memory/,
  },
  {
    text: "READONLY You can't write against a read only replica.",
    code: 'redis-read-only',
    says: /read-only replica/,
  },
  {
    text: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    code: 'redis-read-only',
    says: /replica without its primary/,
  },
  {
    text: 'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
    code: 'redis-disk',
    says: /cannot save them/,
  },
  {
    text: 'MISCONF Errors writing to the AOF file: No space left on device',
    code: 'redis-disk',
    says: /append-only file/,
  },
  { text: 'LOADING Redis is loading the dataset in memory', code: 'redis-loading', says: /loading/ },
  { text: 'NOREPLICAS Not enough good replicas to write.', code: 'redis-replicas', says: /replicas/ },
  { text: 'CLUSTERDOWN The cluster is down', code: 'redis-cluster-down', says: /cluster/ },
  { text: 'MOVED 3999 127.0.0.1:6381', code: 'redis-cluster', says: /redis-cluster:\/\// },
  { text: 'BUSY Redis is busy running a script.', code: 'redis-busy', says: /script/ },
  { text: 'ERR max number of clients reached', code: 'redis-clients', says: /maxclients/ },
  { text: 'ERR DB index is out of range', code: 'redis-database', says: /no database/ },
  {
    text: "ERR unknown command 'SET', with args beginning with: 'key' 'picture' ",
    code: 'redis-command',
    says: /does not know the command SET/,
  },
  {
    text: 'ERR unknown command `GETDEL`, with args beginning with: `key`, ',
    code: 'redis-command',
    says: /does not know the command GETDEL/,
  },
  {
    text: 'ERR something nobody has heard of',
    code: 'redis-error',
    says: /answered with an error: ERR something nobody/,
  },
  {
    text: 'All sentinels are unreachable. Retrying from scratch',
    code: 'redis-unreachable',
    says: /no Sentinel names its master/,
  },
  {
    text: 'All sentinels are unreachable. Retrying from scratch after 10ms. Last error: WRONGPASS invalid',
    code: 'redis-refused',
    says: /sentinelPassword/,
  },
  {
    text: 'the primary is being replaced by its Sentinels',
    code: 'redis-failover',
    says: /is being replaced by its Sentinels/,
  },
  { text: 'Command timed out', code: 'redis-timeout', says: /did not answer in time/ },
  {
    text: 'Protocol error, got "H" as reply type byte',
    code: 'redis-protocol',
    says: /does not speak the protocol/,
  },
  { text: 'connect ECONNREFUSED 127.0.0.1:1', code: 'redis-unreachable', says: /refuses connections/ },
  { text: 'Connection is closed.', code: 'redis-unreachable', says: /cannot be reached/ },
];

describe('a fault of Redis', () => {
  for (const { text, code, says, url = 'redis://user:secret@host:6379', command } of REDIS)
    it(`"${text}" is ${code}`, () => {
      const fault = redisFault(url, Object.assign(new Error(text), command === undefined ? {} : { command }));
      assert.equal(fault.code, code);
      assert.match(fault.message, /^redis at redis:\/\/host:6379 /);
      assert.match(fault.message, says);
      assert.doesNotMatch(fault.message, /secret|picture\b/);
      if (code !== 'redis-refused') assert.doesNotMatch(fault.message, /refused the|check .* password/);
    });

  it('from the last node of a Cluster is reported as the fault of the Cluster', () => {
    const lastNodeError = new Error('NOAUTH Authentication required.');
    const error = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError });
    assert.equal(redisFault('redis-cluster://a,b', error).code, 'redis-refused');
  });

  it('of an unreachable Cluster is not blamed on its keys', () => {
    const lastNodeError = new Error('Connection is closed.');
    const error = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError });
    const of = (scheme: string) => redisFault(`${scheme}://a,b`, error).message;
    assert.match(
      of('redis-cluster'),
      /none of whose hosts can be reached; check the addresses and that they run$/,
    );
    assert.match(of('rediss-cluster'), /trust their certificates with NODE_EXTRA_CA_CERTS$/);
  });
});

/** What ioredis itself throws; none of it is a sentence for an operator. */
const DRIVER = [
  'Connection is closed.',
  "Stream isn't writeable and enableOfflineQueue options is false",
  "Cluster isn't ready and enableOfflineQueue options is false",
  'Cluster is ended.',
  'Command aborted due to connection close',
  'Connection is discarded because a new connection is made',
  'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
  'Node is disconnected',
  'timeout',
];

describe('the text of an ioredis error', () => {
  for (const text of DRIVER)
    it(`("${text}") never reaches an operator`, () => {
      const { code, message } = redisFault('redis://u:secret@host:6379', new Error(text));
      assert.equal(code, 'redis-unreachable');
      assert.equal(
        message,
        'redis at redis://host:6379 cannot be reached: the connection is closed; check the address and that it runs',
      );
    });
});

const BROKER: readonly (Row & { readonly needs?: Parameters<typeof brokerFault>[2] })[] = [
  {
    text: 'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."',
    code: 'broker-refused',
    says: /refused the user name or password/,
  },
  {
    text: "Channel closed by server: 403 (ACCESS-REFUSED) with message \"ACCESS_REFUSED - access to exchange 'v.frames' in vhost '/' refused for user 'u'\"",
    needs: { exchange: 'write' },
    code: 'broker-denied',
    says: /lacks the right "write" on exchange v\.frames; grant it with rabbitmqctl set_permissions/,
  },
  {
    text: "Channel closed by server: 403 (ACCESS-REFUSED) with message \"ACCESS_REFUSED - configure access to queue 'v.detection' in vhost '/' refused for user 'u'\"",
    code: 'broker-denied',
    says: /lacks the right "configure" on queue v\.detection/,
  },
  {
    text: "Channel closed by server: 403 (ACCESS-REFUSED) with message \"ACCESS_REFUSED - write access to topic 'camera.c.frame' in exchange 'v.frames' in vhost '/' refused for user 'u'\"",
    code: 'broker-denied',
    says: /right "write" on topic camera\.c\.frame; grant it with rabbitmqctl set_topic_permissions/,
  },
  {
    text: "Channel closed by server: 403 (ACCESS-REFUSED) with message \"ACCESS_REFUSED - cannot publish to internal exchange 'v.frames' in vhost '/'\"",
    code: 'broker-denied',
    says: /refused: cannot publish to internal exchange 'v\.frames'/,
  },
  {
    text: 'Expected ConnectionOpenOk; got <ConnectionClose channel:0>',
    url: 'amqp://u:secret@host/my%2Fvhost',
    code: 'broker-vhost',
    says: /"my\/vhost"/,
  },
  {
    text: "Channel closed by server: 404 (NOT-FOUND) with message \"NOT_FOUND - no exchange 'v.frames' in vhost '/'\"",
    code: 'broker-topology',
    says: /has no exchange v\.frames$/,
  },
  { text: 'connect ECONNREFUSED 127.0.0.1:1', code: 'broker-unreachable', says: /refuses connections/ },
];

describe('a fault of RabbitMQ', () => {
  for (const { text, code, says, needs, url = 'amqp://u:secret@host:5672' } of BROKER)
    it(`"${text}" is ${code}`, () => {
      const fault = brokerFault(url, new Error(text), needs);
      assert.equal(fault.code, code);
      assert.match(fault.message, says);
      assert.doesNotMatch(fault.message, /secret/);
      if (code !== 'broker-refused') assert.doesNotMatch(fault.message, /refused the user/);
    });
});
