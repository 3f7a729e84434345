/** Parses a Redis URL: one server, a set of Sentinels, or nodes of a Cluster. Pure. */
import { hostsOf } from '../url/url';

/** A server, the master that Sentinels name, nodes of a Cluster; each also over TLS. */
export const REDIS_SCHEMES = [
  'redis',
  'rediss',
  'redis-sentinel',
  'rediss-sentinel',
  'redis-cluster',
  'rediss-cluster',
] as const;

/** In the folder of an embedded server. */
export const REDIS_SOCKET = 'redis.sock';
/** The query parameter in which the daemon's own URLs name that folder. */
const SOCKET_DIR = 'socket-dir';

/** The master's name in Redis's own sentinel.conf. */
const DEFAULT_MASTER = 'mymaster';

interface Host {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly username?: string;
  readonly password?: string;
}

export type RedisAddress =
  | ({
      readonly kind: 'server';
      readonly url: string;
      readonly db: number;
      /** The folder of a server's Unix socket, used instead of host and port. */
      readonly socketDir?: string;
    } & Login)
  | ({
      readonly kind: 'sentinel';
      readonly hosts: readonly Host[];
      readonly master: string;
      readonly db: number;
      readonly tls: boolean;
      readonly sentinelLogin: Login;
    } & Login)
  | ({ readonly kind: 'cluster'; readonly hosts: readonly Host[]; readonly tls: boolean } & Login);

/**
 * Reads `redis://host`, `redis-sentinel://host,host/db?name=mymaster` (with `sentinelUsername` and `sentinelPassword`
 * if the Sentinels require them) and `redis-cluster://host,host`; `rediss...` uses TLS. User and password precede
 * the hosts and are those of the data servers.
 */
export function redisAddress(url: string): RedisAddress {
  const [scheme = '', kind] = (/^[a-z-]+/.exec(url)?.[0] ?? '').split('-');
  if (kind === undefined) {
    const { pathname, searchParams, username, password } = new URL(url);
    const socketDir = searchParams.get(SOCKET_DIR);
    return {
      kind: 'server',
      url,
      db: Number(pathname.slice(1) || searchParams.get('db')),
      ...(socketDir === null
        ? {}
        : { socketDir, ...login(decodeURIComponent(username), decodeURIComponent(password)) }),
    };
  }
  const urls = hostsOf(url).map((host) => new URL(host));
  const [{ username, password, pathname, searchParams } = new URL(url)] = urls;
  const hosts = urls.map((host) => ({
    host: host.hostname.replace(/^\[|\]$/g, ''),
    port: Number(host.port || (kind === 'sentinel' ? 26_379 : 6379)),
  }));
  const tls = scheme === 'rediss';
  const common = { hosts, tls, ...login(decodeURIComponent(username), decodeURIComponent(password)) };
  if (kind === 'cluster') return { kind, ...common };
  const [user, secret] = ['sentinelUsername', 'sentinelPassword'].map((name) => searchParams.get(name) ?? '');
  return {
    kind: 'sentinel',
    ...common,
    master: searchParams.get('name') ?? DEFAULT_MASTER,
    db: Number(pathname.slice(1)),
    sentinelLogin: login(user ?? '', secret ?? ''),
  };
}

/** The same server through its Unix socket, which only its user can replace. */
export function overSocket(url: string, dir: string): string {
  const over = new URL(url);
  over.searchParams.set(SOCKET_DIR, dir);
  return over.href;
}

function login(username: string, password: string): Login {
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}
