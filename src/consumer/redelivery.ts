/** How long a frame whose handler failed is held, as a pure function. */
import { backOffMs, type BackOff } from '../clock/back-off';
import type { QueueMessage } from './queue-message';

const REDELIVER: BackOff = { firstMs: 100, capMs: 5000 };

/**
 * Milliseconds to hold a frame before it is returned to the queue, at least half of the back-off, so that its
 * few deliveries outlast temporary trouble. Classic queues do not count deliveries: any redelivery waits like
 * the fourth.
 * @param random a number from 0 up to 1
 */
export function redeliverDelayMs(
  { redelivered, deliveryCount }: Pick<QueueMessage, 'redelivered' | 'deliveryCount'>,
  random: number,
): number {
  const before = deliveryCount ?? (redelivered ? 3 : 0);
  return backOffMs(REDELIVER, before + 1, (1 + random) / 2);
}
