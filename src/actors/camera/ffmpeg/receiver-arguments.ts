/** The command line of a receiving ffmpeg, as a pure function of the camera's settings. Measured and explained in docs/capture/feeds.md. */
import type { CameraSpec } from '../../../config/topology';
import { hasSenderTimes, TO_ANNEX_B } from './codecs';
import { fileInput, streamInput, testInput, type StreamOpening } from './inputs';
import { BOUNDED, MAX_RECEIVED_BYTES, QUIET, toSplitter, type FfmpegInvocation } from './invocation';
import type { StreamForm } from './stream-form';

/** Includes sound, to distinguish a segment with sound alone from an unreadable one. */
const SEGMENTS = 'mpegts,mov,aac,mp3,ac3,eac3,webvtt';
/**
 * ffmpeg logs packets lost over UDP as warnings, redirects and rotation as information: see
 * receiver-stderr.ts.
 */
const HEARD = ['-nostats', '-hide_banner', '-v', 'repeat+level+info'] as const;
/**
 * Passes only keyframes. An argument of tee, which removes one level of backslashes; its outputs remove
 * another.
 */
const KEYFRAMES_ONLY = 'noise=amount=0\\\\:drop=not(key)';
/**
 * The same, with the packet after each keyframe, which is its other field. A variable remembers the last
 * packet's kind; its comma has one more level of backslashes, which the list of filters removes.
 */
const KEYFRAMES_OF_FIELDS = 'noise=amount=0\\\\:drop=not(key+ld(0))+0*st(0\\\\\\\\\\\\\\,key)';

/**
 * Times from sender reports for keyframes, as `prft` boxes of an MP4 on fd 3 (see sender-clock.ts), some 200
 * bytes each. Only small parts of the keyframe are kept: the sequence parameters of H.264 (7) and H.265 (33),
 * the frame header of JPEG (192). Their times are their numbers, from 0: the muxer fails permanently if times
 * jump by more than 6.6 hours, or back. An ffmpeg or codec without support for this runs without it.
 */
function senderTimes(unify: string): string {
  const flags = 'movflags=empty_moov+default_base_moof+frag_every_frame:write_prft=wallclock';
  const bsfs = [KEYFRAMES_ONLY, 'setts=pts=N\\\\:dts=N', unify, 'filter_units=pass_types=7\\|33\\|192'].join(
    ',',
  );
  return `[f=mp4:onfail=ignore:avoid_negative_ts=disabled:${flags}:bsfs/v=${bsfs}]pipe\\:3`;
}

/**
 * Receives the feed without decoding: packets are output on fd 1, the sender's times on fd 3. Only a
 * synthetic picture is encoded here.
 */
export function receiverInvocation(
  camera: CameraSpec,
  form: StreamForm = {},
  opening: StreamOpening = {},
): FfmpegInvocation {
  const { source } = camera;
  if (source.kind === 'test')
    return { args: [...QUIET, ...BOUNDED, ...testInput(source.pattern, camera), ...toSplitter()], stdin: '' };
  if (source.kind === 'still') throw new Error('still pictures are not read by ffmpeg');
  const { input, stdin } =
    source.kind === 'file' ? fileInput(source.path) : streamInput(source, camera, form, opening);
  // The filter that converts to start codes adds parameter sets only to IDR pictures; not every keyframe is
  // one.
  const toAnnexB = TO_ANNEX_B[form.lengthPrefixed ?? ''];
  const unify = [...(toAnnexB === undefined ? [] : [toAnnexB]), 'dump_extra=freq=keyframe'].join(',');
  const keyframes = form.fieldCoded === true ? KEYFRAMES_OF_FIELDS : KEYFRAMES_ONLY;
  const filters = camera.format === 'keyframe' ? [keyframes, unify] : [unify];
  return {
    // copyinkf: packets before the first keyframe show that data arrive. copytb: the input's own unit of
    // time, not the grid of its nominal frame rate. Where keyframes are stored undecoded, packets that depend
    // on others are useless and need not leave ffmpeg.
    args: [
      ...HEARD,
      ...[...BOUNDED, ...input, '-copyts', '-copytb', '1', '-map', '0:v:0', '-c', 'copy', '-copyinkf'],
      ...toSplitter({ filters, more: hasSenderTimes(source) ? [senderTimes(unify)] : [] }),
    ],
    stdin,
  };
}

/**
 * Reads segments of HLS from standard input and may open nothing else; packets are output on fd 1. MPEG-TS
 * carries its own parameters.
 * @param analyzeMs media examined for the parameters of all tracks; beyond the first segment, ffmpeg waits
 * for more
 */
export function segmentsInvocation(
  { format }: CameraSpec,
  { lengthPrefixed, fieldCoded }: StreamForm,
  analyzeMs: number,
): FfmpegInvocation {
  const toAnnexB = TO_ANNEX_B[lengthPrefixed ?? ''];
  const keyframes = fieldCoded === true ? KEYFRAMES_OF_FIELDS : KEYFRAMES_ONLY;
  const filters = [
    ...(format === 'keyframe' ? [keyframes] : []),
    ...(toAnnexB === undefined ? [] : [toAnnexB, 'dump_extra=freq=keyframe']),
  ];
  return {
    args: [
      ...[...HEARD, ...BOUNDED, '-protocol_whitelist', 'pipe', '-format_whitelist', SEGMENTS],
      ...['-threads', '1', '-fpsprobesize', '0'],
      ...['-analyzeduration', String(Math.round(analyzeMs * 1000)), '-probesize', String(MAX_RECEIVED_BYTES)],
      ...['-i', 'pipe:0', '-copyts', '-copytb', '1', '-map', '0:v:0', '-c', 'copy'],
      ...toSplitter({ filters }),
    ],
    stdin: '',
  };
}
