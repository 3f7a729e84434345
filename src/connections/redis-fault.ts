/** Errors of Redis and of the connection to it, in plain text for operators: the same in the daemon and at consumers. Pure. */
import { redactText, redactUrl, secretsOf } from '../url/redact';
import type { FaultRecord } from '../fault/fault';

interface Rule {
  readonly pattern: RegExp;
  readonly code: string;
  readonly sentence: string;
}

/** Fields an error of ioredis may have; arguments are a frame's key and picture, or a password. */
interface RedisError extends Error {
  readonly code?: string;
  readonly command?: { readonly name: string; readonly args?: readonly unknown[] };
}

/** Error replies of Redis, by their first token (redis.io/docs/latest/develop/reference/protocol-spec, "Simple errors"). */
const REPLIES: readonly Rule[] = [
  {
    pattern: /^(WRONGPASS\b|ERR invalid password)/i,
    code: 'redis-refused',
    sentence: 'refused the user name or password, or that user is switched off; check both in its ACL',
  },
  {
    pattern: /^DENIED\b.*protected mode/is,
    code: 'redis-protected',
    sentence:
      'is in protected mode: it has no password and serves its own machine only; give it a password (requirepass), or set protected-mode no',
  },
  {
    pattern: /^OOM\b/,
    code: 'redis-full',
    sentence: 'is out of memory; raise its maxmemory or lower frames.expireMs',
  },
  {
    pattern: /^READONLY\b/,
    code: 'redis-read-only',
    sentence: 'is a read-only replica; use the address of the primary, or of its Sentinels',
  },
  {
    pattern: /^MASTERDOWN\b/,
    code: 'redis-read-only',
    sentence: 'is a replica without its primary; use the address of the primary, or of its Sentinels',
  },
  {
    pattern: /^MISCONF\b.*(AOF|append)/is,
    code: 'redis-disk',
    sentence: 'takes no writes because it cannot write its append-only file; look at its disk and its log',
  },
  {
    pattern: /^MISCONF\b/,
    code: 'redis-disk',
    sentence: 'takes no writes because it cannot save them; look at its disk and its log',
  },
  {
    pattern: /^NOREPLICAS\b/,
    code: 'redis-replicas',
    sentence: 'takes no writes: too few replicas follow it',
  },
  { pattern: /^LOADING\b/, code: 'redis-loading', sentence: 'is still loading its data' },
  {
    pattern: /^BUSY\b/,
    code: 'redis-busy',
    sentence: 'is busy with a script of another client; SCRIPT KILL ends that',
  },
  {
    pattern: /^ERR max number of clients/i,
    code: 'redis-clients',
    sentence: 'has reached its limit of clients; raise its maxclients or close other connections',
  },
  {
    pattern: /^(MOVED|ASK)\b/,
    code: 'redis-cluster',
    sentence: 'is a node of a Cluster; write redis-cluster:// in its URL',
  },
  {
    pattern: /^ERR (DB index is out of range|invalid DB index|SELECT is not allowed in cluster mode)/i,
    code: 'redis-database',
    sentence: 'has no database of the number in its URL',
  },
  {
    pattern: /^CLUSTERDOWN\b|cluster state is fail/i,
    code: 'redis-cluster-down',
    sentence: 'is a cluster that does not serve all keys now',
  },
];

/** Messages of ioredis about the connection to Redis. */
const WAYS: readonly Rule[] = [
  {
    pattern: /startup nodes|Failed to refresh slots|Too many Cluster redirections|ClusterAllFailed/i,
    code: 'redis-cluster-down',
    sentence: 'is a cluster that does not serve all keys now',
  },
  {
    pattern: /All sentinels are unreachable.*Last error: (WRONGPASS|NOAUTH|NOPERM|ERR invalid password)/i,
    code: 'redis-refused',
    sentence:
      'cannot be found: its Sentinels refused the user name or password; check sentinelUsername and sentinelPassword in the URL',
  },
  {
    pattern: /being replaced by its Sentinels/,
    code: 'redis-failover',
    sentence: 'is being replaced by its Sentinels',
  },
  {
    pattern: /All sentinels are unreachable/i,
    code: 'redis-unreachable',
    sentence: 'cannot be found: no Sentinel names its master',
  },
  { pattern: /Command timed out|socket timeout/i, code: 'redis-timeout', sentence: 'did not answer in time' },
  {
    pattern: /^(Protocol error|Unknown RESP type)/i,
    code: 'redis-protocol',
    sentence: 'does not speak the protocol of Redis; check the port',
  },
  {
    pattern: /ECONNREFUSED/,
    code: 'redis-unreachable',
    sentence: 'refuses connections (ECONNREFUSED); check the address and that it runs',
  },
  { pattern: /connect ENOENT/, code: 'redis-unreachable', sentence: 'does not run; its socket is not there' },
  {
    pattern: /ENOTFOUND|EAI_AGAIN/,
    code: 'redis-unreachable',
    sentence: 'has a name that cannot be resolved; check the host in the URL',
  },
];

const TLS_CODE = /CERT|SELF_SIGNED|SSL|TLS|EPROTO/;

/** A sentence for anything ioredis throws or emits; `url` is shown without credentials. */
export function redisFault(url: string, thrown: Error): FaultRecord {
  const last = lastOfCluster(thrown);
  const error = last !== undefined && isReply(last) ? last : thrown;
  const { code, sentence } = isReply(error) ? replyFault(url, error) : connectionFault(url, error, last);
  return { code, message: `redis at ${redactUrl(url)} ${sentence}` };
}

/** Whether the error is a reply of Redis, and not one of the connection. */
export function isReply(error: Error): boolean {
  return error.name === 'ReplyError' || /^(ERR|ASK|OOM|[A-Z]{4,})\b/.test(error.message);
}

/** The error of the last host of a Cluster that was asked, if all failed. */
function lastOfCluster(error: Error): Error | undefined {
  const { lastNodeError } = error as { lastNodeError?: unknown };
  return lastNodeError instanceof Error ? lastNodeError : undefined;
}

type Named = Pick<Rule, 'code' | 'sentence'>;

function replyFault(url: string, error: RedisError): Named {
  const { message } = error;
  const denial = message.startsWith('NOPERM') ? denialFault(error) : undefined;
  if (denial !== undefined) return { code: 'redis-denied', sentence: denial };
  if (message.startsWith('NOAUTH')) return { code: 'redis-refused', sentence: noAuthSentence(url) };
  const unknown = /^ERR unknown (?:sub)?command ['`"]?([A-Za-z|]{1,30})/i.exec(message)?.[1];
  if (unknown !== undefined)
    return {
      code: 'redis-command',
      sentence: `does not know the command ${unknown.toUpperCase()}: it is too old for it, or the command was renamed there`,
    };
  return (
    REPLIES.find(({ pattern }) => pattern.test(message)) ?? {
      code: 'redis-error',
      // The message may quote the arguments of a command at its end.
      sentence: `answered with an error: ${redactText(message.replace(/,? with args beginning with:.*/s, ''), secretsOf(url)).slice(0, 120)}`,
    }
  );
}

function noAuthSentence(url: string): string {
  return /\/\/[^/]*@/.test(url)
    ? 'did not take the user name and password of its URL; check them in the configuration'
    : 'asks for a password, and its URL has none; add it in the configuration';
}

/** The password is right, but a rule of the ACL is missing. redis.io/docs/latest/operate/oss_and_stack/management/security/acl */
function denialFault({ message, command }: RedisError): string {
  const named = /run the '([^']{1,40})'/.exec(message)?.[1] ?? command?.name;
  const denied = (named ?? 'a command').replace('|', ' ').toUpperCase();
  if (/channel/i.test(message))
    return `denies this user the channel that ${denied} uses; its password is right, its ACL lacks the channel (&pattern)`;
  if (/\bkeys?\b/i.test(message)) {
    const key = command?.args?.[0];
    const shown = typeof key === 'string' && key.length <= 200 ? ` ${key}` : '';
    return `denies this user ${denied} of the key${shown}; its password is right, its ACL lacks the key's pattern (~pattern)`;
  }
  if (/\bdatabase\b/i.test(message))
    return 'denies this user the database of its URL; its password is right, its ACL lacks the database';
  return `denies this user the command ${denied}; its password is right, its ACL lacks +${(named ?? 'command').toLowerCase()}`;
}

function connectionFault(url: string, error: RedisError, last: Error | undefined): Named {
  const { code = '', message } = error;
  // ioredis does not pass the reason on.
  if (last?.message === 'Connection is closed.')
    return {
      code: 'redis-unreachable',
      sentence: `is a cluster none of whose hosts can be reached; check the addresses${url.startsWith('rediss') ? ', and trust their certificates with NODE_EXTRA_CA_CERTS' : ' and that they run'}`,
    };
  const text = `${code} ${message}`;
  const rule = WAYS.find(({ pattern }) => pattern.test(message) || pattern.test(text));
  if (rule !== undefined) return rule;
  if (TLS_CODE.test(code))
    return {
      code: 'redis-tls',
      sentence: `failed the TLS handshake (${code}); check the port, and trust its certificate with NODE_EXTRA_CA_CERTS`,
    };
  // Without a code the message is the driver's own, and does not help.
  return {
    code: 'redis-unreachable',
    sentence:
      code === ''
        ? 'cannot be reached: the connection is closed; check the address and that it runs'
        : `cannot be reached (${code})`,
  };
}
