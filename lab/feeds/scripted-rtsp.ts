/** An RTSP camera that follows the protocol up to a point, then answers as configured, or never. */
import { createServer } from 'node:net';
import { HOST, listen } from '../loopback-server';

export type RtspMethod = 'OPTIONS' | 'DESCRIBE' | 'SETUP' | 'PLAY';

export interface ScriptedRtsp {
  url(path: string): string;
  stop(): Promise<void>;
}

const SDP = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=camera',
  't=0 0',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  'a=control:track',
  '',
].join('\r\n');

/**
 * Describes an H.264 stream and plays it without ever sending a packet, over TCP and UDP.
 * @param answers status lines such as `453 Not Enough Bandwidth`, or `silence`, in place of the 200 of these methods
 */
export async function startScriptedRtsp(
  answers: Partial<Record<RtspMethod, string>> = {},
): Promise<ScriptedRtsp> {
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.on('data', (chunk) => {
      const request = chunk.toString('latin1');
      const method = /^[A-Z]+/.exec(request)?.[0] as RtspMethod | undefined;
      const status = (method && answers[method]) ?? '200 OK';
      if (method !== undefined && status !== 'silence') client.write(answer(method, request, status));
    });
  });
  const { port, stop } = await listen(server);
  return { url: (path) => `rtsp://${HOST}:${port}${path}`, stop };
}

function answer(method: RtspMethod, request: string, status: string): string {
  const sequence = /CSeq: *(\d+)/i.exec(request)?.[1] ?? '0';
  const head = [`RTSP/1.0 ${status}`, `CSeq: ${sequence}`, 'Session: 1'];
  if (!status.startsWith('200')) return [...head, '', ''].join('\r\n');
  switch (method) {
    case 'DESCRIBE':
      head.push('Content-Type: application/sdp', `Content-Length: ${SDP.length}`);
      return [...head, '', SDP].join('\r\n');
    case 'SETUP':
      head.push(`Transport: ${transport(request)}`);
      break;
    case 'OPTIONS':
      head.push('Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN');
      break;
    case 'PLAY':
  }
  return [...head, '', ''].join('\r\n');
}

/** Ports 8 and 9 take what is sent to them, if anything. */
function transport(request: string): string {
  const ports = /client_port=[\d-]+/.exec(request)?.[0];
  return ports === undefined
    ? 'RTP/AVP/TCP;unicast;interleaved=0-1'
    : `RTP/AVP;unicast;${ports};server_port=8-9`;
}
