/** A server of the lab on loopback: it begins to listen, and ends with all of its connections. */
import type { AddressInfo, Server, Socket } from 'node:net';

export const HOST = '127.0.0.1';

export interface Listening {
  readonly port: number;
  /** Resolves when the server has closed; its connections are destroyed. */
  readonly stop: () => Promise<void>;
}

/**
 * @param server of node:net, node:http or node:https
 * @param port any free one by default
 */
export async function listen(server: Server, port = 0, host = HOST): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
