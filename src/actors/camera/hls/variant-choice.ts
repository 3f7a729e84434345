/** Which variant of a master playlist is read: the cheapest that is wide enough. Pure. */
import type { Variant } from './playlist';

/** Audio codecs by their RFC 6381 names. */
const AUDIO = /^(?:mp4a|mp3|ac-3|ac-4|ec-3|opus|flac|alac|vorbis|dts)/i;
const TEXT = /^(?:stpp|wvtt)/i;
/** Video that every ffmpeg decodes. */
const COMMON_VIDEO = /^(?:avc|hvc|hev)/i;

/**
 * The variants worth trying, the best first: with `width` the cheapest that is wide enough, or the widest if
 * none is; without it the largest. Variants with sound only are never among them.
 * @param width pixels wanted
 */
export function rankVariants(variants: readonly Variant[], width?: number): readonly Variant[] {
  return variants.filter(mayHaveVideo).sort((a, b) => {
    return (
      Number(isCommon(b)) - Number(isCommon(a)) ||
      (width === undefined ? 0 : bySufficiency(a, b, width)) ||
      pixels(b) - pixels(a) ||
      b.bandwidth - a.bandwidth
    );
  });
}

/** Negative when `a` comes first; 0 when neither is wide enough. */
function bySufficiency(a: Variant, b: Variant, width: number): number {
  const [first, second] = [a, b].map((variant) => (variant.width ?? 0) >= width);
  if (first !== second) return first === true ? -1 : 1;
  if (first !== true) return 0;
  return a.bandwidth - b.bandwidth || pixels(a) - pixels(b);
}

function mayHaveVideo({ codecs, width }: Variant): boolean {
  return (
    width !== undefined ||
    codecs.length === 0 ||
    !codecs.every((codec) => AUDIO.test(codec) || TEXT.test(codec))
  );
}

/** True for common codecs, and for a variant that does not declare any. */
function isCommon({ codecs }: Variant): boolean {
  return codecs.length === 0 || codecs.some((codec) => COMMON_VIDEO.test(codec));
}

function pixels({ width = 0, height = 0 }: Variant): number {
  return width * height;
}
