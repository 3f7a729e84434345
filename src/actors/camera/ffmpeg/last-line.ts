/** Of what ffmpeg wrote on standard error, the line that says most. Pure. */

export function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 200);
}
