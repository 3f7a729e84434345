/**
 * A picture that several services must have leaves Redis with the last of them: one atomic step in Redis.
 * Crash points: docs/consumers.md. Other languages may use the same script.
 */
import type { Recipients } from './message';

/** One service's part in a frame. */
export interface Share {
  /** The service's queue. */
  readonly queue: string;
  /** Queues whose services must all finish with it. */
  readonly required: readonly string[];
}

/**
 * KEYS: the frame, its set of queues (see doneKey). ARGV: `get`, `take` or `done`; the queue; the required
 * queues. `get` and `take` answer with the picture; `take` and `done` mark this queue as finished with it.
 * Nil: the picture has gone, or this queue has already finished with it.
 */
export const SHARE_SCRIPT = `
if redis.call('SISMEMBER', KEYS[2], ARGV[2]) == 1 then return false end
local picture = redis.pcall(ARGV[1] == 'done' and 'EXISTS' or 'GET', KEYS[1])
if ARGV[1] == 'get' or not picture or picture == 0 then return picture end
if type(picture) == 'table' then return picture end
redis.call('SADD', KEYS[2], ARGV[2])
for i = 3, #ARGV do
  if redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 0 then
    local life = redis.call('PTTL', KEYS[1])
    if life > 0 then redis.call('PEXPIRE', KEYS[2], life) end
    return picture
  end
end
redis.call('UNLINK', KEYS[1], KEYS[2])
return picture`;

/** Undefined if only the queue's consumers have the frame. */
export function shareOf(recipients: Recipients | undefined, queue: string): Share | undefined {
  return recipients === undefined ? undefined : { queue, required: Object.keys(recipients) };
}
