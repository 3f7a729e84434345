/** The tracks in a camera's description (SDP, RFC 8866). Pure. */

export interface Described {
  /** Kinds of the tracks, in order: `video`, `audio`, `application`. */
  readonly tracks: readonly string[];
  /** A video track is MPEG-TS, in which video and sound are one track. */
  readonly transportStream: boolean;
}

export function readDescription(sdp: string): Described {
  const media = [...sdp.matchAll(/^m=(\w+) +\S+ +(\S+)(?: +(\d+))?/gm)].slice(0, 50);
  const mapped = /^a=rtpmap:\d+ +MP2T\//im.test(sdp);
  return {
    tracks: media.map(([, kind = '']) => kind),
    transportStream: mapped || media.some(([, kind, , payload]) => kind === 'video' && payload === '33'),
  };
}
