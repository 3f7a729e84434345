/** Selects the most informative line of ffmpeg's standard error. Pure. */

export function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 200);
}
