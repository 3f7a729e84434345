/** Declarations, each on a channel of its own: a refused declaration closes its channel. */
import type { Channel, ChannelModel } from 'amqplib';

/** AMQP 0-9-1 reply codes. */
export const ACCESS_REFUSED = 403;
export const NOT_FOUND = 404;
export const RESOURCE_LOCKED = 405;
export const PRECONDITION_FAILED = 406;

/** The error of a declaration that was refused; anything else that fails is thrown. */
export async function failureOf(
  connection: ChannelModel,
  declare: (channel: Channel) => Promise<unknown>,
): Promise<Error | undefined> {
  try {
    await onOwnChannel(connection, declare);
    return undefined;
  } catch (error) {
    if (typeof codeOf(error) === 'number' && error instanceof Error) return error;
    throw error;
  }
}

/** Checks by passive declaration, which needs no permission. */
export async function exists(
  connection: ChannelModel,
  check: (channel: Channel) => Promise<unknown>,
): Promise<boolean> {
  const error = await failureOf(connection, check);
  return error === undefined || codeOf(error) !== NOT_FOUND;
}

export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

export async function onOwnChannel<T>(
  connection: ChannelModel,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await connection.createChannel();
  // The refusal also rejects the declaration, which is where it is handled.
  channel.on('error', () => undefined);
  const result = await work(channel);
  await channel.close();
  return result;
}
