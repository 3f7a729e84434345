/**
 * Compresses answers for clients that accept gzip: a day of 200 cameras has megabytes of JSON, which contain
 * no secrets.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

const compress = promisify(gzip);
/** Shorter ones fit in a packet as they are. */
const LEAST_BYTES = 1400;
/** The fastest level: such repetitive data compress well at any level. */
const LEVEL = 1;

/** For `onSend` of a route whose answers are texts. */
export async function compressed(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  reply.header('vary', 'accept-encoding');
  if (typeof payload !== 'string' || payload.length < LEAST_BYTES || !takesGzip(headers['accept-encoding']))
    return payload;
  const bytes = await compress(payload, { level: LEVEL });
  reply.header('content-encoding', 'gzip').header('content-length', bytes.length);
  return bytes;
}

/** RFC 9110, 12.5.3: `q=0` refuses. */
function takesGzip(header: string | string[] | undefined): boolean {
  return [header ?? '']
    .flat()
    .join()
    .split(',')
    .some((each) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$)[\d.]+\s*)?$/i.test(each));
}
