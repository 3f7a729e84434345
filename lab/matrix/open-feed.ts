/** Starts the server of a row's stream. */
import { startHlsCamera, startMjpegCamera, startStillCamera } from '../feeds/camera-http';
import { startCameraRtsp } from '../feeds/camera-rtsp';
import { startRtmpCamera } from '../feeds/camera-rtmp';
import { startGstTracks } from '../feeds/gst-tracks';
import type { CameraQuirks } from '../feeds/camera-description';
import { matrixClip, type Clip } from './clip';
import { PLAIN } from './recipe';
import type { Row, RowQuirks } from './row';
import type { SentPictures } from './sent-pictures';

export interface OpenFeed {
  /** The camera's address, as actors.json has it. */
  readonly address: Readonly<Record<string, unknown>>;
  readonly stop: () => Promise<void>;
}

export async function openFeed(row: Row, clip: Clip, { add: onSent }: SentPictures): Promise<OpenFeed> {
  const { feed, audio, joinAt, quirks, recipe } = row;
  const { units, file } = clip;
  const { codec, fps } = recipe;
  switch (feed) {
    case 'rtsp-tcp':
    case 'rtsp-udp': {
      const options = {
        ...(audio === undefined ? {} : { audio }),
        ...(joinAt === undefined ? {} : { joinAt }),
        ...(quirks === undefined ? {} : { quirks: await quirksOf(quirks) }),
      };
      const camera = await startCameraRtsp({ codec, units, fps, onSent, ...options });
      return { address: { url: camera.url, transport: feed.slice('rtsp-'.length) }, stop: camera.stop };
    }
    case 'gst-tcp':
    case 'gst-udp': {
      if (codec === 'mpeg4') throw new Error('no clip of MPEG-4 for this server');
      const sound = audio && { audio: { codec: audio.codec, first: audio.place === 'first' } };
      const server = await startGstTracks({ '/camera': { codec, units, fps, onSent, ...sound } });
      return {
        address: { url: server.url('/camera'), transport: feed.slice('gst-'.length) },
        stop: server.stop,
      };
    }
    case 'rtmp': {
      const frames = units.length;
      const sound = audio && { audio: audio.codec };
      const camera = await startRtmpCamera({ file, fps, frames, onSent, ...sound });
      return { address: { url: camera.url }, stop: camera.stop };
    }
    case 'hls':
    case 'hls-plain': {
      const camera = await startHlsCamera({ file });
      return {
        address: { url: camera.url(feed === 'hls' ? '/live/camera.m3u8' : '/live/play?channel=1') },
        stop: camera.stop,
      };
    }
    case 'mjpeg': {
      const camera = await startMjpegCamera({ pictures: units, fps, onSent });
      return { address: { url: camera.url('/video.mjpg') }, stop: camera.stop };
    }
    case 'still': {
      const camera = await startStillCamera({ pictures: units, fps, onSent });
      return { address: { still: camera.url('/picture.jpg') }, stop: camera.stop };
    }
    case 'file':
      return { address: { file }, stop: () => Promise.resolve() };
  }
}

async function quirksOf({ parameters, ...others }: RowQuirks): Promise<CameraQuirks> {
  if (parameters !== 'stale') return parameters === undefined ? others : { ...others, parameters };
  const { units } = await matrixClip({ ...PLAIN, width: 640, height: 360 });
  return { ...others, parameters: { of: units[0]?.bytes ?? Buffer.alloc(0) } };
}
