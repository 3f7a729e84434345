/** Headers of a notice by the specification of Standard Webhooks 1.0.0: https://www.standardwebhooks.com. Pure. */
import { createHmac } from 'node:crypto';

/**
 * @param secret `whsec_` and the key in base64
 * @param id of the notice, the same at each attempt
 * @param atMs of the attempt, milliseconds since the epoch: receivers refuse what is older than some minutes
 */
export function signedHeaders(
  secret: string,
  id: string,
  atMs: number,
  body: string,
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
