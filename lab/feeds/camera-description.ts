/** What an RTSP camera of the tests sends, how it differs from others, and how it describes itself. Pure. */
import type { AudioCodec } from './camera-audio';
import { mediaAttributes, payloadType, type RtpCodec } from './rtp-packets';

export interface SentUnit {
  readonly bytes: Buffer;
  readonly key: boolean;
  readonly number: number;
  /** When it is sent and when it is shown, in pictures from the beginning. */
  readonly sentAt: number;
  readonly shownAt: number;
}

/**
 * Where a track is beside the video. `first`: described before it, and on the wire before its first picture; `second`:
 * the other way round; `early`: described behind it, and on the wire 300 ms before; `dead`: described, never sent.
 */
export type TrackPlace = 'first' | 'second' | 'early' | 'dead';

export interface CameraAudio {
  readonly codec: AudioCodec;
  readonly place: TrackPlace;
  /** Status of the answer to its SETUP instead of 200. */
  readonly refused?: number;
}

export interface CameraQuirks {
  /** A track of ONVIF metadata. */
  readonly metadata?: TrackPlace;
  readonly describeDelayMs?: number;
  /** What the description states of the parameters: nothing, or those of another stream's keyframe. */
  readonly parameters?: 'untold' | { readonly of: Buffer };
}

/** Packets that are sent beside the video, looped. */
export interface SideTrack {
  readonly name: 'audio' | 'metadata';
  readonly media: 'audio' | 'application';
  readonly payloadType: number;
  readonly attributes: readonly string[];
  /** From the start of one packet to the next. */
  readonly packetMs: number;
  /** Ticks of the RTP clock. */
  readonly ticksPerPacket: number;
  readonly marker: boolean;
  readonly payloads: readonly Buffer[];
}

export interface PlacedTrack {
  readonly track: SideTrack;
  readonly place: TrackPlace;
  readonly refused?: number;
}

const METADATA_PAYLOAD = 107;
const METADATA_MS = 200;

export function metadataTrack(): SideTrack {
  const document =
    '<?xml version="1.0"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"></tt:MetadataStream>';
  return {
    ...{ name: 'metadata', media: 'application', payloadType: METADATA_PAYLOAD, packetMs: METADATA_MS },
    attributes: [`a=rtpmap:${METADATA_PAYLOAD} vnd.onvif.metadata/90000`],
    ...{ ticksPerPacket: 90 * METADATA_MS, marker: true, payloads: [Buffer.from(document)] },
  };
}

/** SDP (RFC 4566). @param keyframe with the stream's parameters */
export function describeCamera(
  codec: RtpCodec,
  keyframe: Buffer,
  tracks: readonly PlacedTrack[],
  { parameters }: CameraQuirks,
): string {
  const told = typeof parameters === 'object' ? parameters.of : keyframe;
  const video = [
    `m=video 0 RTP/AVP ${payloadType(codec)}`,
    ...mediaAttributes(codec, told, parameters !== 'untold'),
    'a=control:video',
  ];
  const sections = (isFirst: boolean) =>
    tracks.filter(({ place }) => (place === 'first') === isFirst).flatMap(({ track }) => section(track));
  const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=camera', 't=0 0', 'a=control:*'];
  return [...head, ...sections(true), ...video, ...sections(false), ''].join('\r\n');
}

function section({ name, media, payloadType: type, attributes }: SideTrack): string[] {
  return [`m=${media} 0 RTP/AVP ${type}`, ...attributes, `a=control:${name}`];
}
