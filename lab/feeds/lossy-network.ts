/** A network between a camera and who watches it that loses packets of UDP: RTSP passes it unchanged but for the ports. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { HOST, listen } from '../loopback-server';
import type { Random } from '../random';

export interface LossyNetwork {
  /** Port for RTSP, instead of the camera's. */
  readonly port: number;
  /** When packets were lost, milliseconds since the epoch. */
  readonly lost: readonly number[];
  /** Packets that came, lost ones included. */
  readonly sent: () => number;
  readonly stop: () => Promise<void>;
}

const CLIENT_PORTS = /client_port=(\d+)-(\d+)/;
/** Pairs of ports are tried until both are free. */
const PORT_TRIES = 50;
const FIRST_PORT = 33_000;
const LAST_PORT = 59_000;

/** @param loss part of the packets with video that is lost, 0 to 1 */
export async function startLossyNetwork(
  cameraPort: number,
  loss: number,
  random: Random,
): Promise<LossyNetwork> {
  const lost: number[] = [];
  const relays: Socket[] = [];
  let sent = 0;
  const isPassedOn = (): boolean => {
    sent++;
    if (random.next() >= loss) return true;
    lost.push(Date.now());
    return false;
  };
  /** Takes what is for these two ports of the client, RTP and RTCP. */
  const relay = async (ports: readonly number[]): Promise<number> => {
    const pair = await freePair(random);
    relays.push(...pair);
    pair.forEach((socket, i) => {
      socket.on('message', (packet) => {
        if (i === 1 || isPassedOn()) socket.send(packet, ports[i], HOST);
      });
    });
    return pair[0].address().port;
  };
  const server = createServer((client) => {
    const camera = connect(cameraPort, HOST);
    client.on('error', () => camera.destroy()).on('close', () => camera.destroy());
    camera.on('error', () => client.destroy()).on('close', () => client.destroy());
    camera.pipe(client);
    let before = Promise.resolve();
    client.on('data', (chunk: Buffer) => {
      before = before.then(async () => {
        const text = chunk.toString('latin1');
        const asked = CLIENT_PORTS.exec(text);
        const port = asked === null ? 0 : await relay([Number(asked[1]), Number(asked[2])]);
        const passed = asked === null ? text : text.replace(CLIENT_PORTS, `client_port=${port}-${port + 1}`);
        camera.write(passed, 'latin1');
      });
    });
  });
  const { port, stop } = await listen(server);
  return {
    port,
    lost,
    sent: () => sent,
    stop: async () => {
      await stop();
      for (const socket of relays) socket.close();
    },
  };
}

async function freePair(random: Random): Promise<[Socket, Socket]> {
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const even = 2 * random.between(FIRST_PORT / 2, LAST_PORT / 2);
    const first = await bound(even);
    const second = first === undefined ? undefined : await bound(even + 1);
    if (first !== undefined && second !== undefined) return [first, second];
    first?.close();
  }
  throw new Error('no two free ports in a row');
}

/** Undefined where the port is taken. */
async function bound(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, HOST);
    await once(socket, 'listening');
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}
