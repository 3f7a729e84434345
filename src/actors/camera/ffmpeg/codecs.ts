/** How codecs and kinds of sources have to be read. Pure. */
import type { CameraSource } from '../../../config/topology';
import type { FrameFormat } from '../../../contract/frame';

/** Codecs whose packets may come with lengths instead of start codes, and ffmpeg's filter that converts them. */
export const TO_ANNEX_B: Readonly<Record<string, string>> = {
  h264: 'h264_mp4toannexb',
  hevc: 'hevc_mp4toannexb',
};
/**
 * ffmpeg's codecs whose keyframes need no decoder: stored unchanged, or encoded by sharp if the picture is
 * synthetic.
 */
const STORED_AS: Readonly<Record<string, FrameFormat | 'ppm'>> = {
  mjpeg: 'jpeg',
  h264: 'h264',
  hevc: 'h265',
  ppm: 'ppm',
};

/** The format in which a codec's keyframes can be stored unchanged; undefined if there is none. */
export function formatOfCodec(codec: string): FrameFormat | 'ppm' | undefined {
  return STORED_AS[codec];
}

/** True for a codec whose packets may have lengths instead of start codes. */
export function hasLengthPrefixes(codec: string): boolean {
  return codec in TO_ANNEX_B;
}

/** True for a source that ffmpeg paces by its timestamps, because the source itself is not live. */
export function isPaced(source: CameraSource): boolean {
  return source.kind !== 'stream';
}

/**
 * True if packets carry the sender's timestamps, from which delay can be measured: RTP and MPEG-TS count in 1/90000 s, RTMP and
 * FLV in milliseconds. ffmpeg makes up all others from a nominal frame rate.
 * @param unitMs milliseconds of one unit of the stream's time
 */
export function hasMediaTimes(source: CameraSource, unitMs: number): boolean {
  return !isPaced(source) && (unitMs === 1 || unitMs === 1000 / 90_000);
}

/** True for a source whose sender may report its own time, over RTCP, which only RTSP has. */
export function hasSenderTimes(source: CameraSource): boolean {
  return source.kind === 'stream' && /^rtsps?:/.test(source.url);
}
