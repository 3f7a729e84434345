/** What ffmpeg prints about a feed that did not open. */

/** The message behind what ffmpeg 5.1 wrote about a feed that did not open. `URL` stands for the feed's. */
export function concat51(detail: string, last: string): string {
  return `${detail}[concat @ 0x56206e15cd80] Impossible to open 'URL'\npipe:0: ${last}\n`;
}

/** The same for ffmpeg 7.0. */
export function concat70(detail: string, last: string): string {
  return (
    `${detail}[concat @ 0x55d0c8a3a2c0] Impossible to open 'URL'\n` +
    `[in#0 @ 0x55d0c8a39c80] Error opening input: ${last}\n` +
    `Error opening input file pipe:0.\nError opening input files: ${last}\n`
  );
}

/** What it prints first if the camera refused to describe its stream. */
export const method = (status: string) => `[rtsp @ 0x5613b9d9d780] method DESCRIBE failed: ${status}\n`;
