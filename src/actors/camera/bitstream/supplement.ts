/** Supplemental messages (SEI) of H.264 and H.265: the payloads of one NAL unit, by type (H.264, 7.3.2.3.1). Pure. */

/** Payload type of a display orientation, in both (annex D). */
export const DISPLAY_ORIENTATION = 47;
/** Neither standard defines this many for one picture; anything longer is not an SEI. */
const MAX_MESSAGES = 64;

/** @param payload the NAL unit behind its header, unescaped */
export function* supplements(payload: Buffer): Generator<{ readonly type: number; readonly bytes: Buffer }> {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let byte = 0xff; byte === 0xff; value += byte) byte = payload[at++] ?? 0;
    return value;
  };
  // One byte behind the last message is the stop bit's.
  for (let left = MAX_MESSAGES; left > 0 && at + 2 < payload.length; left--) {
    const type = number();
    const size = number();
    yield { type, bytes: payload.subarray(at, at + size) };
    at += size;
  }
}
