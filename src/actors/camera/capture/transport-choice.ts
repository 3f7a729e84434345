/**
 * How an RTSP feed with `"transport": "auto"` is received: over UDP, or over TCP if UDP delivers nothing or
 * loses many packets. Pure.
 */
import type { CameraSource } from '../../../config/topology';
import type { FaultRecord } from '../../../fault/fault';

export type TransportChoice =
  | { readonly name: 'udp'; readonly tcpFailed?: true }
  /** UDP delivered nothing, or not everything; whether TCP works is not known yet. */
  | { readonly name: 'trying-tcp'; readonly because: string }
  /** Kept while the camera's process runs. */
  | { readonly name: 'tcp'; readonly because: string };

/** Faults that TCP may avoid, and what they say about UDP. */
const AVOIDED_BY_TCP: Readonly<Record<string, string>> = {
  'udp-blocked': 'none of its UDP packets arrived',
  transport: 'it does not offer UDP',
};

/** The choice after a fault before the first packet, or after one that TCP avoids. */
export function afterFault(choice: TransportChoice, { code, message }: FaultRecord): TransportChoice {
  switch (choice.name) {
    case 'udp': {
      const because = code === 'udp-loss' ? message : AVOIDED_BY_TCP[code];
      return because === undefined ? choice : { name: 'trying-tcp', because };
    }
    case 'trying-tcp':
      return { name: 'udp', tcpFailed: true };
    case 'tcp':
      return choice;
  }
}

/** The choice after a packet. */
export function afterPacket(choice: TransportChoice): TransportChoice {
  return choice.name === 'trying-tcp' ? { ...choice, name: 'tcp' } : choice;
}

/** Whether losses end the feed: not if TCP was tried and delivered nothing. */
export function leavesUdp(source: CameraSource, choice: TransportChoice): boolean {
  return (
    source.kind === 'stream' && source.orTcp === true && choice.name === 'udp' && choice.tcpFailed !== true
  );
}

/** The source as it is opened with the current choice. */
export function overTransport(source: CameraSource, choice: TransportChoice): CameraSource {
  if (source.kind !== 'stream' || source.orTcp !== true) return source;
  return { ...source, transport: choice.name === 'udp' ? 'udp' : 'tcp' };
}
