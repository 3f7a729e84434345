/** Closes a connection to RabbitMQ that a session has opened. */
import type { ChannelModel } from 'amqplib';

const CLOSE_MS = 2000;

/** Closes the connection by `close`, and its socket by force after two seconds. Never rejects. */
export async function closeConnection(
  connection: ChannelModel,
  socket: AbortController,
  close: () => Promise<void>,
): Promise<void> {
  const force = setTimeout(() => socket.abort(), CLOSE_MS);
  const gone = new Promise((resolve) => connection.once('close', resolve));
  // It throws if the connection is already closed, which is the goal.
  await Promise.race([close().catch(() => undefined), gone]);
  clearTimeout(force);
  // amqplib would wait for the server to hang up.
  socket.abort();
}
