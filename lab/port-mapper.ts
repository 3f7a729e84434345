/**
 * Erlang's port mapper (epmd) for the nodes of a cluster. Each node has one to itself, which names proxies for the others:
 * so a test can cut off any node from the others while clients still reach it.
 * Protocol: erlang.org/doc/apps/erts/erl_dist_protocol, "EPMD Protocol".
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FaultProxy, type Network } from './fault-proxy';

const ALIVE2_REQ = 120;
const ALIVE2_X_RESP = 118;
const PORT_PLEASE2_REQ = 122;
const PORT2_RESP = 119;
const NAMES_REQ = 110;
const [OK, NOT_FOUND] = [0, 1];
/** Type 77 is a normal node; TCP; versions 5 to 6 of the distribution. */
const NODE = Buffer.from([77, 0, 0, 6, 0, 5]);

interface Link {
  readonly from: string;
  readonly to: string;
  readonly proxy: FaultProxy;
}

export class PortMapper {
  /** Ports of the distribution, by the name before the @; those of control programs too. */
  readonly #ports = new Map<string, number>();
  readonly #links: Link[] = [];
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /** @param members names before the @; whoever else asks, or is asked for, is led past the proxies */
  constructor(private readonly members: readonly string[]) {}

  /** Resolves with the port of the mapper that this node is to use. */
  async serve(node: string): Promise<number> {
    const server = createServer((socket) => this.#accept(node, socket));
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** What lies between a node and all others from now on. */
  setNetwork(node: string, network: Network): void {
    for (const { from, to, proxy } of this.#links) if (from === node || to === node) proxy.network = network;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#links.map(({ proxy }) => proxy.stop()));
  }

  #accept(node: string, socket: Socket): void {
    this.#sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const request = received.subarray(2);
      received = Buffer.alloc(0);
      void this.#answer(node, request, socket);
    });
  }

  async #answer(node: string, request: Buffer, socket: Socket): Promise<void> {
    switch (request[0] ?? 0) {
      case ALIVE2_REQ: {
        // It stays registered for as long as it keeps the connection.
        const name = request.toString('latin1', 11, 11 + request.readUInt16BE(9));
        this.#ports.set(name, request.readUInt16BE(1));
        socket.once('close', () => this.#ports.delete(name));
        socket.write(Buffer.from([ALIVE2_X_RESP, OK, 0, 0, 0, 1]));
        return;
      }
      case PORT_PLEASE2_REQ:
        socket.end(await this.#portReply(node, request.toString('latin1', 1)));
        return;
      case NAMES_REQ: {
        const lines = [...this.#ports].map(([name, port]) => `name ${name} at port ${port}\n`);
        const port = [0, 0, ...uint16(socket.localPort ?? 0)];
        socket.end(Buffer.concat([Buffer.from(port), Buffer.from(lines.join(''), 'latin1')]));
        return;
      }
      default:
        socket.destroy();
    }
  }

  async #portReply(from: string, to: string): Promise<Buffer> {
    const port = this.#ports.get(to);
    if (port === undefined) return Buffer.from([PORT2_RESP, NOT_FOUND]);
    const name = Buffer.from(to, 'latin1');
    const head = [Buffer.from([PORT2_RESP, OK]), uint16(await this.#portFor(from, to, port)), NODE];
    return Buffer.concat([...head, uint16(name.length), name, uint16(0)]);
  }

  async #portFor(from: string, to: string, port: number): Promise<number> {
    if (from === to || !this.members.includes(to)) return port;
    let link = this.#links.find((other) => other.from === from && other.to === to);
    if (link === undefined) {
      link = { from, to, proxy: await FaultProxy.start(port) };
      this.#links.push(link);
    }
    return link.proxy.port;
  }
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
