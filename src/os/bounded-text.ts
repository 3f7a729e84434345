/** The text of a request or a response, up to a length. */
import type { Readable } from 'node:stream';

/**
 * @param what names it in the error, with its article
 * @throws Error when it has more bytes, or what the stream throws
 */
export async function boundedText(stream: Readable, maxBytes: number, what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`${what} of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
