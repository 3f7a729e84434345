/** Reads a configuration file up to the size limit: the path may name a disk image, or a device without an end. */
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { MAX_CONFIGURATION_BYTES } from './bounds';

const CHUNK_BYTES = 65_536;

/** @throws ErrnoException of the file system; `EFBIG` beyond {@link MAX_CONFIGURATION_BYTES} */
export function readBoundedSync(file: string): string {
  const fd = openSync(file, 'r');
  try {
    const content = new Content();
    while (content.add(readSync(fd, content.chunk)));
    return content.text;
  } finally {
    closeSync(fd);
  }
}

/** The same, asynchronously: other work of the process continues meanwhile. */
export async function readBounded(file: string): Promise<string> {
  return (await readBoundedBytes(file)).toString();
}

/** The same, as bytes. */
export async function readBoundedBytes(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const content = new Content();
    while (content.add((await handle.read(content.chunk)).bytesRead));
    return content.bytes;
  } finally {
    await handle.close();
  }
}

class Content {
  readonly chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #parts: Buffer[] = [];
  #length = 0;

  get text(): string {
    return this.bytes.toString();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Appends the bytes read into {@link chunk}; false at the end of the file. */
  add(bytes: number): boolean {
    this.#length += bytes;
    if (this.#length > MAX_CONFIGURATION_BYTES)
      throw Object.assign(new Error('too large for a configuration'), { code: 'EFBIG' });
    this.#parts.push(Buffer.from(this.chunk.subarray(0, bytes)));
    return bytes > 0;
  }
}
