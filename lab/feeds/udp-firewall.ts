/** A firewall in front of an RTSP server: TCP passes, and the server's UDP packets go where nobody listens. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface UdpFirewall {
  readonly port: number;
  stop(): Promise<void>;
}

/** @param target the server's port on loopback */
export async function startUdpFirewall(target: number): Promise<UdpFirewall> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const camera = connect(target, '127.0.0.1');
    for (const socket of [client, camera]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        camera.destroy();
        sockets.delete(socket);
      });
    }
    camera.pipe(client);
    // The discard port and the one behind it (RFC 863): unprivileged programs cannot listen there.
    client.on('data', (chunk) => {
      const request = chunk.toString('latin1').replace(/client_port=\d+-\d+/, 'client_port=9-10');
      camera.write(request, 'latin1');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
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
