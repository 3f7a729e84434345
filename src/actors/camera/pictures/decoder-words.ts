/** What a decoding ffmpeg says on standard error, line by line: which words mean a damaged picture. Pure. */

/** Said of each decoded picture that has errors, since ffmpeg's own decoders mark it: not by every decoder. */
const DAMAGED_PICTURE = /corrupt decoded frame/;
/** A decoder's complaint, with the level that `-v level` writes before it. */
const COMPLAINT = /^\[(?:h264|hevc|mjpeg) @ [^\]]*\] \[(?:error|fatal|panic)\] /;
/** Complaints about housekeeping that leave no trace in the picture. */
const HARMLESS = /mmco|unref short|number of reference frames|co located POCs|SEI type|EOI missing/i;

const LEVEL = /\[(error|fatal|panic|warning|info)\] /;

/** Said of what the decoder is fed: pictures that nothing needs are left out. It leaves no trace. */
export function isHarmless(line: string): boolean {
  return HARMLESS.test(line);
}

/** Confidence, 0 to 100, that a line means a damaged picture; undefined when it means none. */
export function damageIn(line: string): number | undefined {
  if (DAMAGED_PICTURE.test(line)) return 95;
  return COMPLAINT.test(line) && !isHarmless(line) ? 80 : undefined;
}

/** The line as ffmpeg writes it with `-v error`; undefined when it would not. */
export function asError(line: string): string | undefined {
  const level = LEVEL.exec(line)?.[1];
  return level === 'warning' || level === 'info' ? undefined : line.replace(LEVEL, '');
}
