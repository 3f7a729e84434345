/** Ends TLS in front of a server that does not speak it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';

/**
 * @param url of a server, `redis://` or `amqp://`
 * @param identity files with the key and the certificate that clients get to see
 */
export async function startTlsProxy(
  url: string,
  identity: { readonly key: string; readonly cert: string },
): Promise<{ url: string; proxy: Server }> {
  const target = new URL(url);
  const [key, cert] = [readFileSync(identity.key), readFileSync(identity.cert)];
  const proxy = createServer({ key, cert }, (client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('close', () => server.destroy());
    client.pipe(server).pipe(client);
  });
  proxy.on('tlsClientError', () => undefined);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const secured = url.replace(/^(redis|amqp):/, '$1s:').replace(`:${target.port}`, `:${port}`);
  return { url: secured, proxy };
}
