/** Keeps pictures in order when their maker is replaced: the old one may still have some to deliver. */
import type { DecoderOutcome } from './decoder';

type Made = Pick<DecoderOutcome, 'onPicture' | 'onLost'>;

/** @param before settles when all earlier pictures have been delivered; undefined if there are none */
export function inOrder(before: Promise<unknown> | undefined, { onPicture, onLost }: Made): Made {
  if (before === undefined) return { onPicture, onLost };
  const settled = before.catch(() => undefined);
  return {
    onPicture: (...picture) => void settled.then(() => onPicture(...picture)),
    onLost: (...sample) => void settled.then(() => onLost(...sample)),
  };
}
