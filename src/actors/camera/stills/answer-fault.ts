/** Why an answer is unusable, by its status and headers. Pure. */
import { Fault } from '../../../fault/fault';
import type { Answer } from '../http/client';
import { RetryLater, statusFault } from '../http/http-fault';
import { retryAfterMs } from '../../../clock/retry-after';

const SUCCESS: ReadonlySet<number> = new Set([200, 203, 206]);
const AS_IT_IS = /^(?:|identity|none|binary)$/i;

/** Undefined if the body of the answer is worth reading. */
export function answerFault({
  status,
  message,
  answeredAt,
}: Pick<Answer, 'status' | 'message' | 'answeredAt'>): Fault | undefined {
  if (!SUCCESS.has(status)) {
    const waitMs = retryAfterMs(message.headers['retry-after'], answeredAt);
    return waitMs === undefined ? statusFault(status) : new RetryLater(statusFault(status), waitMs);
  }
  const encoding = message.headers['content-encoding']?.trim() ?? '';
  if (AS_IT_IS.test(encoding)) return undefined;
  const named = encoding.replace(/[^\w, -]/g, '').slice(0, 20);
  return new Fault(
    'compressed',
    `sends its picture compressed (${named}) although asked not to; switch compression off in the camera, or in what stands before it`,
  );
}
