/** The path and the query of a server's URL: a database of Redis, a virtual host of RabbitMQ. Pure. */
import { hostsOf } from '../url/url';

/** Redis numbers its databases from 0, and has 16 unless configured otherwise. */
const DATABASE = /^\d{1,5}$/;

/**
 * What is wrong with the path, as a sentence that does not contain the URL; undefined if nothing is.
 * @param url one without a `urlProblem`
 */
export function serverPathProblem(url: string): string | undefined {
  const { protocol, pathname, searchParams } = new URL(hostsOf(url)[0] ?? url);
  const path = pathname.replace(/^\//, '');
  if (protocol.startsWith('amqp')) return brokerProblem(path, searchParams);
  if (protocol.endsWith('-cluster:'))
    return path === '' || path === '0'
      ? undefined
      : 'a Redis Cluster has no databases; remove what is behind the hosts in the URL';
  return [path, searchParams.get('db') ?? ''].every((number) => number === '' || DATABASE.test(number))
    ? undefined
    : 'what is behind the host in the URL is the number of a database, such as /0; found something else';
}

function brokerProblem(path: string, query: URLSearchParams): string | undefined {
  if (path.includes('/'))
    return 'what is behind the host in the URL is one virtual host; a "/" in its name is written %2F';
  try {
    decodeURIComponent(path);
  } catch {
    return 'the virtual host in the URL cannot be read; a "%" in its name is written %25';
  }
  const heartbeat = query.get('heartbeat');
  return heartbeat === null || /^\d{1,5}$/.test(heartbeat)
    ? undefined
    : '"heartbeat" in the URL is a number of seconds; found something else';
}
