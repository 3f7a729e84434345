/**
 * Interprets a decoding ffmpeg's standard error line by line: which messages mean damage, and to which
 * picture. Pure.
 */
import type { Damage } from './damage';

/**
 * Written for each decoded picture with errors that is marked as such; only ffmpeg's own decoders mark them.
 */
const DAMAGED_PICTURE = /corrupt decoded frame/;
/** A decoder's complaint, with the level that `-v level` writes before it. */
const COMPLAINT = /^\[(?:h264|hevc|mjpeg) @ [^\]]*\] \[(?:error|fatal|panic)\] /;
/** Complaints about housekeeping that leave no trace in the picture. */
const HARMLESS = /mmco|unref short|number of reference frames|co located POCs|SEI type|EOI missing/i;
/** A picture that this one is predicted from is missing. */
const MISSING_REFERENCE =
  /Could not find ref|reference picture missing|Missing reference|reference frames? .*missing/i;
/** Missing blocks are made up from those around them. */
const CONCEALED = /^\[h264 @ [^\]]*\] \[[a-z]+\] concealing \d+ DC/;

const LEVEL = /\[(error|fatal|panic|warning|info|verbose|debug|trace)\] /;
const SAID_WITHOUT_ERROR: ReadonlySet<string> = new Set(['warning', 'info', 'verbose', 'debug', 'trace']);

/** The filter that selects the wanted pictures names each picture that leaves the decoder. */
const SELECTED = /^\[Parsed_select_0 @ [^\]]*\] \[debug\] n:\S+ pts:(\d+)/;
/** The decoder begins a packet; if that is a keyframe, a new sequence. */
const UNIT = /^\[(?:h264|hevc) @ [^\]]*\] \[debug\] nal_unit_type: (\d+)\(([A-Z_a-z0-9 -]+)\)/;
/** Message of ffmpeg's H.265 decoder for a picture whose last block was decoded. */
const TO_ITS_END = /^\[hevc @ [^\]]*\] \[debug\] Decoded frame with POC/;

export type DecoderMessage =
  | { readonly kind: 'picture'; readonly pts: number }
  | { readonly kind: 'packet'; readonly begins: boolean }
  | { readonly kind: 'whole' }
  | { readonly kind: 'damage'; readonly damage: Damage };

/** True for complaints that leave no trace in the picture, such as those about references left out of the input. */
export function isHarmless(line: string): boolean {
  return HARMLESS.test(line);
}

/** The damage that a line indicates; undefined if none. */
export function damageIn(line: string): Damage | undefined {
  if (CONCEALED.test(line)) return { reason: 'missing-slice', confidence: 99 };
  if (DAMAGED_PICTURE.test(line)) return { reason: 'decode-error', confidence: 99 };
  if (!COMPLAINT.test(line) || isHarmless(line)) return undefined;
  return MISSING_REFERENCE.test(line)
    ? { reason: 'missing-reference', confidence: 99 }
    : { reason: 'decode-error', confidence: 99 };
}

/** What a line reports about pictures; undefined if nothing. */
export function readMessage(line: string): DecoderMessage | undefined {
  const pts = SELECTED.exec(line)?.[1];
  if (pts !== undefined) return { kind: 'picture', pts: Number(pts) };
  const [, type, name] = UNIT.exec(line) ?? [];
  if (type !== undefined) return { kind: 'packet', begins: name === 'IDR' || name === 'EOS_NUT' };
  if (TO_ITS_END.test(line)) return { kind: 'whole' };
  const damage = damageIn(line);
  return damage === undefined ? undefined : { kind: 'damage', damage };
}

/** The line as ffmpeg would write it with `-v error`; undefined if it would not. */
export function asError(line: string): string | undefined {
  const level = LEVEL.exec(line)?.[1];
  return level !== undefined && SAID_WITHOUT_ERROR.has(level) ? undefined : line.replace(LEVEL, '');
}
