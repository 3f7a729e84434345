/** The command line of a decoding ffmpeg, as a pure function of settings and stream. Measured and explained in docs/capture/sampling.md. */
import type { CameraSpec } from '../../../config/topology';
import { MAX_PIXELS } from '../../../contract/frame';
import { jpegEncoder, PPM } from '../ffmpeg/encoder-arguments';
import { NO_PROBING, toSplitter, type FfmpegInvocation } from '../ffmpeg/invocation';
import type { PictureLook } from './look';
import { shapeFilters } from './shape-filters';
import { THUMBNAIL_FILTERS } from './thumbnail';

/**
 * Writes every line with its level, some five lines per picture: the complaints, the picture each is about,
 * and whether the picture was decoded to its end.
 */
const TALKATIVE = ['-nostats', '-hide_banner', '-v', 'repeat+level+debug'] as const;

/**
 * Decodes packets in IVF from standard input. Packets with an odd time are output as pictures on fd 1, in the camera's format
 * (PPM if sharp encodes them); the others are only decoded. A thumbnail of each picture comes first, on fd 3.
 * @param codec ffmpeg's name of the codec
 */
export function decoderInvocation(camera: CameraSpec, codec: string, look: PictureLook): FfmpegInvocation {
  const wanted = "select='mod(pts,2)'";
  const ownTimes = ['-enc_time_base', '1/1000', '-fps_mode', 'passthrough'];
  const filters = [wanted, ...shapeFilters(camera, look.interlaced, look.rotation), ...look.colours];
  return {
    args: [
      ...TALKATIVE,
      ...['-filter_threads', '1', '-threads', '1', '-flags', 'low_delay', '-max_pixels', String(MAX_PIXELS)],
      ...NO_PROBING,
      ...hardware(camera, codec),
      // The filters turn the pictures, as `look` says.
      ...[
        '-noautorotate',
        '-format_whitelist',
        'ivf',
        '-protocol_whitelist',
        'pipe',
        '-f',
        'ivf',
        '-i',
        'pipe:0',
        '-copyts',
      ],
      // The thumbnail comes first, so that it is there when its picture has been encoded.
      ...['-map', '0:v:0', '-vf', `${wanted},${THUMBNAIL_FILTERS}`, ...ownTimes],
      ...['-c:v', 'rawvideo', '-threads', '1', ...toSplitter({ fd: 3 })],
      ...['-map', '0:v:0', '-vf', filters.join(','), ...ownTimes],
      ...(camera.format === 'jpeg' ? jpegEncoder(camera.quality) : PPM),
      // One thread everywhere: with more, an encoder holds each picture back for a whole period.
      ...['-threads', '1', ...toSplitter()],
    ],
    stdin: '',
    usesHardware: camera.hwaccel !== undefined,
  };
}

/** Decoded pictures are copied back to memory automatically. Intel's Quick Sync has decoders of its own. */
function hardware({ hwaccel }: CameraSpec, codec: string): readonly string[] {
  if (hwaccel === undefined) return ['-c:v', codec];
  return ['-hwaccel', hwaccel, '-c:v', hwaccel === 'qsv' ? `${codec}_qsv` : codec];
}
