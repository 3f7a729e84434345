/** A firewall in front of an RTSP server: TCP passes, and the server's UDP packets are sent to a port without a listener. */
import { connect, createServer } from 'node:net';
import { HOST, listen, type Listening } from '../loopback-server';

/** @param target the server's port on loopback */
export async function startUdpFirewall(target: number): Promise<Listening> {
  const server = createServer((client) => {
    const camera = connect(target, HOST);
    for (const socket of [client, camera]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        camera.destroy();
      });
    }
    camera.pipe(client);
    // The discard port and the one behind it (RFC 863): unprivileged programs cannot listen there.
    client.on('data', (chunk) => {
      const request = chunk.toString('latin1').replace(/client_port=\d+-\d+/, 'client_port=9-10');
      camera.write(request, 'latin1');
    });
  });
  return listen(server);
}
