/** How every part of Vigil connects to RabbitMQ. */
import { connect, type ChannelModel, type Options } from 'amqplib';
import { withDeadline } from '../clock/sleep';
import { hostsOf } from '../url/url';
import { HostOrder } from './host-order';
import { HostRace } from './host-race';
import { throwOnForeignListener } from './rabbitmq-listener';

const CONNECT_MS = 5000;
const CLOSE_MS = 500;
/** A peer that is frozen or cut off is noticed after two to three of these. */
const HEARTBEAT_S = 4;

/** What is known about the hosts of each URL, kept while the process runs. */
const orders = new Map<string, HostOrder>();
/** The host of a connection, and a function that moves it behind the others. */
const hosts = new WeakMap<ChannelModel, { readonly host: string; readonly leave: () => void }>();

/**
 * Opens a connection to an amqp:// or amqps:// URL, which may name several hosts (`amqp://user:password@one,two:5673/`):
 * they are tried in turn, starting after the one that failed last, and the next one is started if one takes longer
 * than a second. The error of the last one is thrown. The caller listens to its `error` event.
 * @param name shown in RabbitMQ's list of connections
 * @param signal closes the socket, also after the connection was opened: a frozen broker never answers a
 * request to close
 * @param besides an existing connection, whose host is excluded
 */
export async function connectBroker(
  url: string,
  name: string,
  signal: AbortSignal,
  besides?: ChannelModel,
): Promise<ChannelModel> {
  const order = orderOf(url, besides === undefined ? undefined : hosts.get(besides)?.host);
  const race = new HostRace(order, (host, ended) => connectHost(host, name, ended), signal);
  const { host, connection } = await race.winner();
  const leave = () => order.failed(host);
  hosts.set(connection, { host, leave });
  connection.on('error', leave);
  connection.on('close', (error?: Error) => {
    if (error !== undefined) leave();
  });
  return connection;
}

/** The host of this connection is reachable but does not work: the next connection starts with another host. */
export function leaveHost(connection: ChannelModel): void {
  hosts.get(connection)?.leave();
}

/** Closes a connection or a channel in order, unless the broker is too slow to answer or frozen. Never rejects. */
export async function closeInTime(link: { close(): Promise<void> }): Promise<void> {
  await withDeadline(link.close(), CLOSE_MS).catch(() => undefined);
}

function orderOf(url: string, without?: string): Pick<HostOrder, 'next' | 'failed'> {
  let order = orders.get(url);
  if (order === undefined) {
    order = new HostOrder(hostsOf(url));
    orders.set(url, order);
  }
  const all = order;
  if (without === undefined) return all;
  return {
    next: () => all.next().filter((host) => host !== without),
    failed: (host) => all.failed(host),
  };
}

async function connectHost(url: string, name: string, signal: AbortSignal): Promise<ChannelModel> {
  // net.connect() reports a signal that was aborted before the call, but connects nevertheless.
  signal.throwIfAborted();
  throwOnForeignListener(url);
  return connect(connectOptions(url), {
    // Otherwise an awaited confirm takes 40 ms longer (Nagle's algorithm with delayed acknowledgements).
    noDelay: true,
    timeout: CONNECT_MS,
    // Passed to net.connect(): the only way to close a socket that amqplib does not expose.
    ...{ signal },
    clientProperties: { connection_name: name },
  });
}

/** amqplib decodes the credentials of a URL as Latin-1, so they are passed decoded. */
function connectOptions(url: string): Options.Connect {
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url);
  return {
    protocol: protocol.slice(0, -1),
    hostname: hostname.replace(/^\[|\]$/g, ''),
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' && password === ''
      ? {}
      : { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
    vhost: pathname.slice(1),
    heartbeat: Number(searchParams.get('heartbeat') ?? HEARTBEAT_S),
  };
}
