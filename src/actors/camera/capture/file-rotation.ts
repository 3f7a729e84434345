/** The rotation that an MP4 or MOV file declares for its video. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { movieRotation } from '../ffmpeg/movie-rotation';
import type { Rotation } from '../ffmpeg/rotation';

/** Limit of the box that describes the tracks; a day of video needs a tenth of it. */
const MAX_MOVIE_BYTES = 64 * 1024 * 1024;

/** Rotation of the first video track; undefined for a file of another kind, or one that cannot be read. */
export function fileRotation(path: string): Rotation | undefined {
  try {
    const movie = readMovie(path);
    return movie && movieRotation(movie);
  } catch {
    // The file is truncated or gone; ffmpeg has read it, and what ffmpeg reported counts.
    return undefined;
  }
}

/** The box that describes the tracks, from its type on, wherever it is in the file. */
function readMovie(path: string): Buffer | undefined {
  const file = openSync(path, 'r');
  try {
    const { size: end } = fstatSync(file);
    const head = Buffer.alloc(16);
    for (let at = 0; at + 8 <= end;) {
      readSync(file, head, 0, head.length, at);
      const short = head.readUInt32BE(0);
      const size = short === 1 ? Number(head.readBigUInt64BE(8)) : short === 0 ? end - at : short;
      if (head.toString('latin1', 4, 8) === 'moov') {
        if (size > MAX_MOVIE_BYTES) return undefined;
        const movie = Buffer.alloc(size - 4);
        readSync(file, movie, 0, movie.length, at + 4);
        return movie;
      }
      if (size < 8) return undefined;
      at += size;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}
