/** How every part of Vigil connects to RabbitMQ. */
import { connect, type ChannelModel, type Options } from 'amqplib';
import { hostsOf } from '../url/url';
import { HostOrder } from './host-order';
import { HostRace } from './host-race';
import { throwOnForeignListener } from './rabbitmq-listener';

const CONNECT_MS = 5000;
/** A peer that is frozen or cut off is noticed after two to three of these. */
const HEARTBEAT_S = 4;

/** What is known of the hosts of each URL, for as long as the process lives. */
const orders = new Map<string, HostOrder>();
/** How to put the host of a connection behind the others. */
const leaving = new WeakMap<ChannelModel, () => void>();

/**
 * Opens a connection to an amqp:// or amqps:// URL, which may name several hosts (`amqp://user:password@one,two:5673/`):
 * they are tried in turn, beginning behind the one that failed last, and the next one is begun with when one takes longer
 * than a second. The last one's error is thrown. The caller listens to its `error` event.
 * @param name shown in RabbitMQ's list of connections
 * @param signal ends the socket, also after the connection was opened: a frozen broker never answers a close
 */
export async function connectBroker(url: string, name: string, signal: AbortSignal): Promise<ChannelModel> {
  const order = orderOf(url);
  const race = new HostRace(order, (host, ended) => connectHost(host, name, ended), signal);
  const { host, connection } = await race.winner();
  const leave = () => {
    order.failed(host);
  };
  leaving.set(connection, leave);
  connection.on('error', leave);
  connection.on('close', (error?: Error) => {
    if (error !== undefined) leave();
  });
  return connection;
}

/** The host of this connection is reachable and does not do its work: the next connection begins with another one. */
export function leaveHost(connection: ChannelModel): void {
  leaving.get(connection)?.();
}

function orderOf(url: string): HostOrder {
  let order = orders.get(url);
  if (order === undefined) {
    order = new HostOrder(hostsOf(url));
    orders.set(url, order);
  }
  return order;
}

async function connectHost(url: string, name: string, signal: AbortSignal): Promise<ChannelModel> {
  // net.connect() reports a signal that was aborted beforehand, and connects nevertheless.
  signal.throwIfAborted();
  throwOnForeignListener(url);
  return connect(connectOptions(url), {
    // Without it a confirm that is waited for takes 40 ms longer (Nagle's algorithm against delayed acks).
    noDelay: true,
    timeout: CONNECT_MS,
    // net.connect() takes it: the only way to a socket that amqplib keeps to itself.
    ...{ signal },
    clientProperties: { connection_name: name },
  });
}

/** amqplib decodes the credentials of a URL as Latin-1, so they are handed over decoded. */
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
