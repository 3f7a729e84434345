/** Reads the body of one answer: bounded in size, in silence and in time. */
import type { IncomingMessage } from 'node:http';
import { Fault } from '../../../fault/fault';
import { MAX_RECEIVED_BYTES } from '../ffmpeg/invocation';
import { errorFault, lateFault } from '../http/http-fault';

export interface BodyLimits {
  /** Milliseconds without a byte. */
  readonly stallMs: number;
  /** Milliseconds for the whole body, and the figure shown in messages. */
  readonly wholeMs: number;
  readonly toldMs: number;
}

/** @throws Fault `picture-too-large`, `closed`, `stalled`, `slow-picture`; its message follows the feed's name */
export async function readBody(message: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  if (Number(message.headers['content-length'] ?? 0) > MAX_RECEIVED_BYTES) {
    message.destroy();
    throw tooLarge();
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const fail = (fault: Fault) => {
      clearTimeout(whole);
      clearTimeout(stall);
      message.destroy();
      reject(fault);
    };
    const whole = setTimeout(() => fail(lateFault('picture', limits.toldMs)), limits.wholeMs);
    const stall = setTimeout(
      () => fail(new Fault('stalled', `sent nothing for ${limits.stallMs} ms in the middle of a picture`)),
      limits.stallMs,
    );
    message.on('data', (chunk: Buffer) => {
      stall.refresh();
      bytes += chunk.length;
      if (bytes > MAX_RECEIVED_BYTES) fail(tooLarge());
      else chunks.push(chunk);
    });
    message.on('error', (error) => fail(errorFault(error)));
    message.on('close', () => {
      if (!message.complete) {
        fail(errorFault({ code: 'ECONNRESET' }));
        return;
      }
      clearTimeout(whole);
      clearTimeout(stall);
      resolve(Buffer.concat(chunks));
    });
  });
}

function tooLarge(): Fault {
  const most = `${MAX_RECEIVED_BYTES / 2 ** 20} MiB`;
  return new Fault(
    'picture-too-large',
    `sends more than ${most} as one picture; check that the URL is that of a picture`,
  );
}
