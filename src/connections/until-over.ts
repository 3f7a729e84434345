/** What exists as long as a client of Redis. */
import type { RedisClient } from './redis';

/** Calls `stop` once when the client has ended, or is disconnected for good. */
export function untilOver(client: RedisClient, stop: () => void): void {
  client.once('end', stop);
  // One that is disconnected between two connections does not report its end.
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    if (reconnect !== true) {
      client.removeListener('end', stop);
      stop();
    }
    disconnect(reconnect);
  };
}
