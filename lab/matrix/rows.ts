/**
 * The rows of the matrix: a plain one for each feed, every value of each dimension alone, and the pairs that
 * depend on each other: B-frames with groups, codecs and sampling; sound with transports; interlacing with sampling.
 */
import { rowOf, type Variation } from './make-row';
import { PLAIN, type Recipe } from './recipe';
import type { Row } from './row';

const SAMPLINGS = ['auto', 'keyframes', 'all'] as const;
/** A keyframe each ten seconds is to be met once. */
const LONG_GOP: Partial<Recipe> = { gopS: 10, seconds: 20 };
const LONG_SECONDS = 12;

/** RTP knows JPEGs of whole blocks only. */
const JPEG_OVER_RTP = { codec: 'mjpeg', height: 184 } as const;
/** Fields of macroblocks: a multiple of 32. */
const INTERLACED = { height: 192, fps: 25 } as const;

const B2 = { bFrames: 2 } as const;
const B3 = { bFrames: 3, pyramid: 'normal' } as const;
const B4 = { bFrames: 4, pyramid: 'strict' } as const;
const X265 = { codec: 'h265', bFrames: 'default', openGop: true } as const;

export const ROWS: readonly Row[] = [
  ...feeds(),
  ...codecs(),
  ...groups(),
  ...bFrames(),
  ...sound(),
  ...interlaced(),
  ...colours(),
  ...sizes(),
  ...formats(),
].map(rowOf);

function feeds(): Variation[] {
  return [
    ...(
      ['rtsp-tcp', 'rtsp-udp', 'gst-tcp', 'rtmp', 'hls', 'hls-plain', 'mjpeg', 'file', 'still'] as const
    ).map((feed) => ({ feed, cheap: true })),
    { feed: 'gst-udp' },
    { camera: { transport: 'auto' } },
    { quirks: { parameters: 'untold' } },
    { quirks: { parameters: 'untold' }, recipe: { codec: 'h265' } },
    { quirks: { parameters: 'stale' } },
    { quirks: { parameters: 'stale' }, camera: { format: 'keyframe' } },
    { quirks: { describeDelayMs: 7000 }, camera: { connectMs: 20_000 } },
    { feed: 'mjpeg', recipe: { codec: 'mjpeg', fps: 30 } },
    { feed: 'mjpeg', recipe: { codec: 'mjpeg', fps: 50 } },
    { recipe: { fps: 10 } },
    { recipe: { fps: 50 } },
  ];
}

function codecs(): Variation[] {
  const files = (['h265', 'mjpeg', 'mpeg4', 'vp8', 'vp9'] as const).map((codec) => ({ codec }));
  return [
    ...files.map((recipe) => ({ feed: 'file' as const, recipe })),
    ...files.map((recipe) => ({ recipe: recipe.codec === 'mjpeg' ? JPEG_OVER_RTP : recipe })),
    { feed: 'rtsp-udp', recipe: { codec: 'h265' } },
    { feed: 'gst-tcp', recipe: { codec: 'h265' } },
    { feed: 'gst-tcp', recipe: JPEG_OVER_RTP },
    { feed: 'gst-tcp', recipe: { codec: 'vp8' } },
    { feed: 'gst-tcp', recipe: { codec: 'vp9' } },
    { feed: 'hls', recipe: { codec: 'h265' } },
    { feed: 'hls', recipe: { seconds: PLAIN.seconds }, seconds: LONG_SECONDS },
    { feed: 'file', recipe: { codec: 'mpeg4', bFrames: 2 } },
  ];
}

/** Where the camera comes in matters: what lies before a keyframe may be needed by what is shown behind it. */
function groups(): Variation[] {
  const open = { openGop: true, ...B2 };
  return [
    ...SAMPLINGS.map((sampling) => ({ recipe: { gopS: 2 }, camera: { sampling } })),
    { recipe: { gopS: 2 }, joinAt: 20 },
    ...(['auto', 'all'] as const).map((sampling) => ({
      ...{ recipe: LONG_GOP, camera: { sampling }, seconds: LONG_SECONDS },
    })),
    { recipe: LONG_GOP, joinAt: 200, seconds: LONG_SECONDS },
    // No keyframes but the first: those alone are nothing to sample.
    ...(['auto', 'all'] as const).map((sampling) => ({
      ...{ recipe: { intraRefresh: true }, joinAt: 60, camera: { sampling } },
    })),
    { recipe: { intraRefresh: true }, joinAt: 60, camera: { format: 'png' }, cheap: true },
    ...SAMPLINGS.map((sampling) => ({
      ...{ recipe: open, joinAt: 40, camera: { sampling }, cheap: sampling === 'auto' },
    })),
    ...SAMPLINGS.map((sampling) => ({
      ...{ recipe: X265, joinAt: 40, camera: { sampling }, cheap: sampling === 'auto' },
    })),
    { recipe: open, joinAt: 40, camera: { format: 'keyframe' } },
    { recipe: X265, joinAt: 40, camera: { format: 'keyframe' } },
  ];
}

function bFrames(): Variation[] {
  const kinds: readonly Partial<Recipe>[] = [
    { bFrames: 1 },
    B2,
    { ...B3, pyramid: 'none' },
    B3,
    { ...B4, pyramid: 'normal' },
    B4,
    { codec: 'h265', ...B2 },
    { codec: 'h265', ...B4 },
    X265,
  ];
  const pairs: readonly Partial<Recipe>[] = [B2, B4, { codec: 'h265', ...B3 }, X265];
  return [
    ...kinds.map((recipe) => ({ recipe, cheap: recipe === B2 || recipe === X265 })),
    ...pairs.flatMap((recipe) => [
      ...(['keyframes', 'all'] as const).map((sampling) => ({
        ...{ recipe, camera: { sampling }, cheap: recipe === B4 && sampling === 'all' },
      })),
      ...SAMPLINGS.map((sampling) => ({
        ...{
          recipe: { ...recipe, gopS: 2 },
          camera: { sampling },
          cheap: recipe === B4 && sampling === 'auto',
        },
      })),
      ...(['auto', 'all'] as const).map((sampling) => ({
        ...{ recipe: { ...recipe, ...LONG_GOP }, camera: { sampling }, seconds: LONG_SECONDS },
      })),
    ]),
    ...(['gst-tcp', 'gst-udp', 'rtsp-udp', 'rtmp', 'hls', 'file'] as const).map((feed) => ({
      ...{ feed, recipe: B2, cheap: feed === 'gst-tcp' || feed === 'file' },
    })),
    { feed: 'gst-tcp', recipe: X265 },
    { feed: 'gst-tcp', recipe: { ...B2, gopS: 2 } },
    { feed: 'file', recipe: X265 },
  ];
}

function sound(): Variation[] {
  const places = ['first', 'second', 'early', 'dead'] as const;
  return [
    ...places.map(
      (place) =>
        ({ audio: { codec: 'pcma', place }, cheap: place === 'first' || place === 'early' }) as const,
    ),
    ...places.map((place) => ({ feed: 'rtsp-udp', audio: { codec: 'pcmu', place } }) as const),
    ...(['first', 'second', 'early'] as const).map((place) => ({ audio: { codec: 'aac', place } }) as const),
    ...[404, 461].flatMap((refused) => [
      { audio: { codec: 'pcma', place: 'first', refused }, cheap: refused === 404 } as const,
      { audio: { codec: 'pcma', place: 'second', refused } } as const,
      { feed: 'rtsp-udp', audio: { codec: 'pcma', place: 'second', refused } } as const,
    ]),
    ...(['pcma', 'pcmu', 'aac'] as const).flatMap((codec) => [
      { feed: 'gst-tcp', audio: { codec, place: 'first' } } as const,
      { feed: 'gst-tcp', audio: { codec, place: 'second' }, recipe: B2, cheap: codec === 'pcma' } as const,
      { feed: 'gst-udp', audio: { codec, place: 'second' } } as const,
    ]),
    { feed: 'rtmp', audio: { codec: 'aac', place: 'second' } },
    { feed: 'rtmp', audio: { codec: 'pcma', place: 'second' } },
    { audio: { codec: 'pcma', place: 'first' }, recipe: { codec: 'h265' } },
    ...(['first', 'second', 'early'] as const).map((metadata) => ({ quirks: { metadata } })),
    { audio: { codec: 'pcma', place: 'first' }, quirks: { metadata: 'first' } },
    { audio: { codec: 'pcma', place: 'early' }, recipe: JPEG_OVER_RTP },
    { audio: { codec: 'aac', place: 'first' }, camera: { format: 'keyframe' } },
  ];
}

function interlaced(): Variation[] {
  return (['paff', 'mbaff-tff', 'mbaff-bff'] as const).flatMap((interlace) => {
    const recipe = { ...INTERLACED, interlace, ...(interlace === 'paff' ? { fps: 10 } : {}) };
    return [
      ...SAMPLINGS.map((sampling) => ({
        ...{ recipe, camera: { sampling }, cheap: interlace !== 'mbaff-bff' && sampling === 'auto' },
      })),
      { recipe: { ...recipe, gopS: 2 } },
      { recipe, camera: { deinterlace: 'off', format: 'png' } },
      { recipe, camera: { format: 'keyframe' } },
    ];
  });
}

/** Unflagged video is BT.709 from 720 lines on, as players take it. */
function colours(): Variation[] {
  const [sd, hd] = [{ scene: 'patches' }, { scene: 'patches', width: 1280, height: 720 }] as const;
  const kinds: readonly Partial<Recipe>[] = [
    { ...sd, matrix: 'bt601' },
    { ...sd, matrix: 'bt601', range: 'full' },
    { ...sd, matrix: 'bt601', flagged: false },
    { ...sd, matrix: 'bt709' },
    { ...sd, matrix: 'bt709', range: 'full' },
    { ...hd, matrix: 'bt709' },
    { ...hd, matrix: 'bt709', range: 'full' },
    { ...hd, matrix: 'bt709', flagged: false },
    { ...hd, matrix: 'bt601' },
    { ...hd, matrix: 'bt2020' },
    { ...sd, matrix: 'bt2020' },
    { ...sd, codec: 'h265', matrix: 'bt709' },
    { ...sd, codec: 'h265', matrix: 'bt601', range: 'full' },
  ];
  const hd709 = { ...hd, matrix: 'bt709' } as const;
  return [
    ...kinds.map((recipe, i) => ({ recipe, cheap: i === 0 || i === 3 })),
    ...(['png', 'webp'] as const).flatMap((format) =>
      [hd709, { ...sd, matrix: 'bt601', range: 'full' } as const].map((recipe) => ({
        recipe,
        camera: { format },
      })),
    ),
    { recipe: { ...hd, matrix: 'bt601', flagged: false }, camera: { matrix: 'bt601' } },
    { feed: 'mjpeg', recipe: { ...sd, codec: 'mjpeg' } },
    { feed: 'mjpeg', recipe: { ...sd, codec: 'mjpeg' }, camera: { format: 'png' } },
    { feed: 'file', recipe: { ...sd, codec: 'mpeg4' } },
    { feed: 'file', recipe: { ...sd, codec: 'vp9' } },
  ];
}

function sizes(): Variation[] {
  const odd = [
    { width: 322, height: 182 },
    { width: 330, height: 186 },
    { width: 640, height: 360 },
    { width: 1280, height: 720, matrix: 'bt709' },
    { width: 1920, height: 1080, matrix: 'bt709' },
  ] as const;
  return [
    ...odd.map((recipe, i) => ({ recipe, cheap: i === 0 })),
    { recipe: { ...odd[0], codec: 'h265' } },
    { recipe: { ...odd[4], codec: 'h265', seconds: 4 } },
    { feed: 'mjpeg', recipe: { codec: 'mjpeg', width: 321, height: 181 } },
    { feed: 'still', recipe: { codec: 'mjpeg', width: 321, height: 181 } },
    { recipe: { width: 640, height: 360 }, camera: { width: 320 } },
    { feed: 'mjpeg', recipe: { codec: 'mjpeg', width: 640, height: 360 }, camera: { width: 320 } },
  ];
}

function formats(): Variation[] {
  return [
    ...(['png', 'webp', 'keyframe'] as const).map((format) => ({ camera: { format } })),
    { recipe: { codec: 'h265' }, camera: { format: 'keyframe' } },
    { recipe: B2, camera: { format: 'keyframe' } },
    { recipe: { gopS: 2 }, camera: { format: 'keyframe' } },
    { feed: 'gst-tcp', camera: { format: 'keyframe' } },
    { feed: 'mjpeg', recipe: { codec: 'mjpeg' }, camera: { format: 'keyframe' } },
    { feed: 'mjpeg', recipe: { codec: 'mjpeg' }, camera: { format: 'png' } },
    { feed: 'still', recipe: { codec: 'mjpeg' }, camera: { format: 'png' } },
  ];
}
