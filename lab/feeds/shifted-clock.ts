/** A proxy on loopback before an RTSP server: its sender reports state a time that is off. For RTSP over TCP only. */
import { connect, createServer } from 'node:net';
import { HOST, listen } from '../loopback-server';

export interface ShiftedClock {
  readonly port: number;
  /** Sender reports that were given another time. */
  readonly reports: number;
  /** Milliseconds added to the times of all reports to come. */
  shiftMs: number;
  stop(): Promise<void>;
}

/** RFC 2326, 10.12: `$`, channel, two bytes of length. Odd channels are RTCP here, as ffmpeg asks for 0-1. */
const FRAME_HEADER_BYTES = 4;
/** RFC 3550, 6.4.1: packet type of a sender report, and where its NTP time is. */
const SENDER_REPORT = 200;
const NTP_AT = 8;

export async function startShiftedClock(targetPort: number, shiftMs: number): Promise<ShiftedClock> {
  const server = createServer((client) => {
    const camera = connect(targetPort, HOST);
    const cutter = new Cutter();
    for (const [socket, other] of [
      [client, camera],
      [camera, client],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        other.destroy();
      });
    }
    client.on('data', (chunk) => camera.write(chunk));
    camera.on('data', (chunk: Buffer) => {
      for (const part of cutter.push(chunk)) {
        if (shift(part, proxy.shiftMs)) proxy.reports++;
        client.write(part);
      }
    });
  });
  const proxy = { ...(await listen(server)), reports: 0, shiftMs };
  return proxy;
}

/** Cuts what a server sends into answers and interleaved frames. */
class Cutter {
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const parts: Buffer[] = [];
    for (;;) {
      const length = lengthOf(this.#rest);
      if (length === undefined || length > this.#rest.length) return parts;
      parts.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
  }
}

function lengthOf(data: Buffer): number | undefined {
  if (data.length < FRAME_HEADER_BYTES) return undefined;
  if (data[0] === 0x24) return FRAME_HEADER_BYTES + data.readUInt16BE(2);
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [, body = '0'] = /^content-length: *(\d+)/im.exec(data.toString('latin1', 0, end)) ?? [];
  return end + 4 + Number(body);
}

function shift(part: Buffer, byMs: number): boolean {
  const report = part.subarray(FRAME_HEADER_BYTES);
  if (part[0] !== 0x24 || (part[1] ?? 0) % 2 === 0 || report[1] !== SENDER_REPORT) return false;
  const ntp = report.readBigUInt64BE(NTP_AT) + (BigInt(byMs) << 32n) / 1000n;
  report.writeBigUInt64BE(BigInt.asUintN(64, ntp), NTP_AT);
  return true;
}
