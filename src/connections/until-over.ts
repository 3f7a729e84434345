/** Ties the life of a part to that of a Redis client. */
import type { RedisClient } from './redis';

/** Calls `stop` once when the client has ended, or is disconnected for good. */
export function untilOver(client: RedisClient, stop: () => void): void {
  client.once('end', stop);
  // A client that is disconnected between two connections does not report its end.
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    if (reconnect !== true) {
      client.removeListener('end', stop);
      stop();
    }
    disconnect(reconnect);
  };
}
