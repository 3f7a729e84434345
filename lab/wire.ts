/** A way to a server that can be cut, or made to swallow all that is sent. */
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';

export class Wire {
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;
  connections = 0;
  /** Bytes from the client that did not reach the server. */
  swallowed = 0;
  silent = false;
  /** What the server does not get to see. */
  withholds: (data: Buffer) => boolean = () => false;

  constructor(target: URL) {
    this.#server = net.createServer((socket) => {
      this.connections += 1;
      const onward = net.connect(Number(target.port), target.hostname);
      this.#hold(socket);
      this.#hold(onward);
      socket.on('data', (data) => {
        if (this.silent || this.withholds(data)) this.swallowed += data.length;
        else onward.write(data);
      });
      socket.on('close', () => onward.destroy());
      onward.on('data', (data) => !this.silent && socket.write(data));
      onward.on('close', () => socket.destroy());
    });
  }

  static async open(t: TestContext, url: string): Promise<{ wire: Wire; url: string }> {
    const wired = new URL(url);
    const wire = new Wire(wired);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    const { port } = wire.#server.address() as net.AddressInfo;
    t.after(() => {
      wire.cut();
      wire.#server.close();
    });
    const rewired = new URL(url);
    rewired.hostname = '127.0.0.1';
    rewired.port = String(port);
    return { wire, url: rewired.href };
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #hold(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
