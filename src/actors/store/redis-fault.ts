/** What Redis and the way to it say when they refuse, in a person's words. */
import { redactUrl } from '../../config/url';
import type { FaultRecord } from '../../protocol/fault';

interface Rule {
  readonly pattern: RegExp;
  readonly code: string;
  readonly sentence: string;
}

/** Tried in this order on `<code> <message>`. */
const RULES: readonly Rule[] = [
  {
    pattern: /WRONGPASS|NOAUTH|NOPERM|invalid password/i,
    code: 'redis-refused',
    sentence: 'refused the user name or password; check them in the configuration',
  },
  {
    pattern: /\bOOM\b/,
    code: 'redis-full',
    sentence: 'is out of memory; raise its maxmemory or lower frames.expireMs',
  },
  {
    pattern: /\bREADONLY\b/,
    code: 'redis-read-only',
    sentence: 'is a read-only replica; use the address of the primary, or of its Sentinels',
  },
  {
    pattern: /\bMISCONF\b/,
    code: 'redis-disk',
    sentence: 'takes no writes because it cannot save them; look at its disk and its log',
  },
  {
    pattern: /\bNOREPLICAS\b/,
    code: 'redis-replicas',
    sentence: 'takes no writes: too few replicas follow it',
  },
  { pattern: /\bLOADING\b/, code: 'redis-loading', sentence: 'is still loading its data' },
  {
    pattern:
      /CLUSTERDOWN|cluster state is fail|startup nodes|Failed to refresh slots|Too many Cluster redirections/i,
    code: 'redis-cluster-down',
    sentence: 'is a cluster that does not serve all keys now; frames wait in the spool',
  },
  {
    pattern: /All sentinels are unreachable/i,
    code: 'redis-unreachable',
    sentence: 'cannot be found: no Sentinel names its master; frames wait in the spool',
  },
  {
    pattern: /Command timed out|socket timeout/i,
    code: 'redis-timeout',
    sentence: 'did not answer in time; frames wait in the spool',
  },
];

const TLS_CODE = /CERT|SELF_SIGNED|SSL|TLS|EPROTO/;

/** A sentence for anything ioredis throws or emits; `url` is shown without credentials. */
export function redisFault(url: string, error: Error): FaultRecord {
  const name = `redis at ${redactUrl(url)}`;
  const { code = '' } = error as NodeJS.ErrnoException;
  const rule = RULES.find(({ pattern }) => pattern.test(error.message));
  if (rule !== undefined) return { code: rule.code, message: `${name} ${rule.sentence}` };
  if (TLS_CODE.test(code))
    return {
      code: 'redis-tls',
      message: `${name} cannot be spoken to over TLS (${code}); check the port, and trust its certificate with NODE_EXTRA_CA_CERTS`,
    };
  const what = code === '' ? error.message : code;
  return {
    code: 'redis-unreachable',
    message: `${name} cannot be reached (${what}); frames wait in the spool`,
  };
}
