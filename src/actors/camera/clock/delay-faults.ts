/** Messages for an operator about late pictures. Pure. */
import type { FaultRecord } from '../../../fault/fault';
import type { DelayNews } from './link-delay';

type Late = Exclude<DelayNews, { kind: 'on-time' }>;

/** More than a few pictures wait in the receiver's socket: they have arrived, and this machine does not read them. */
const UNREAD_BYTES = 128 * 1024;

/**
 * @param feed its name, without credentials
 * @param keyframesOnly only keyframes were counted, so only the ratio of the rates is meaningful
 * @param unreadBytes bytes that have arrived and were not read yet
 */
export function delayFault(
  late: Late,
  feed: string,
  keyframesOnly: boolean,
  unreadBytes: number,
): FaultRecord {
  const age = `its pictures are ${(late.delayMs / 1000).toFixed(1)} s old when they come`;
  const result = late.kind === 'reopen' ? `${age}; reopening the feed at the newest` : age;
  if (unreadBytes > UNREAD_BYTES)
    return {
      code: 'read-slowly',
      message: `${feed} sends faster than this machine reads it: ${result}; this machine is overloaded`,
    };
  return {
    code: 'slow-link',
    message: `${feed} ${speed(late, keyframesOnly)}: ${result}; lower the camera's bit rate or frame rate, or give it a faster link`,
  };
}

function speed({ arrivesKbps, streamKbps }: Late, keyframesOnly: boolean): string {
  const percent = `${Math.round((100 * arrivesKbps) / Math.max(1, streamKbps))} %`;
  return keyframesOnly
    ? `arrives at ${percent} of its speed`
    : `arrives at ${arrivesKbps} kbit/s and its stream has ${streamKbps} kbit/s (${percent})`;
}
