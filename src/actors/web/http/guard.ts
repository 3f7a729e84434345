/** Access control before any route: by the name in `Host`, the site a request comes from, and the token. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OwnNames } from './own-names';
import { Problem } from './problem';
import type { Sessions } from './sessions';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token. */
    readonly isOpen?: true;
  }
}

/** @throws Problem when it is refused */
export async function guard(
  request: FastifyRequest,
  reply: FastifyReply,
  { names, sessions }: { readonly names: OwnNames; readonly sessions: Sessions },
): Promise<void> {
  if (!names.isOwn(request.headers.host))
    throw new Problem(
      421,
      'wrong-host',
      'this server does not answer to the name in the Host header; use one of its addresses, or add the name to "http.names" of the configuration',
    );
  if (isOfAnotherSite(request))
    throw new Problem(403, 'cross-site', 'a page of another site may not make this request');
  if (request.routeOptions.config.isOpen === true || sessions.letsIn(request.headers)) return;
  if (isForPerson(request)) await reply.redirect('/sign-in', 303);
  else
    throw new Problem(
      401,
      'token-required',
      'send the token as "Authorization: Bearer TOKEN", or sign in at /sign-in',
      {},
      { 'www-authenticate': 'Bearer realm="vigil"' },
    );
}

/**
 * Browsers send where a request comes from in Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/); older ones send only `Origin`.
 * A link to the page may be followed from anywhere.
 */
function isOfAnotherSite({ method, headers }: FastifyRequest): boolean {
  const isReading = method === 'GET' || method === 'HEAD';
  if (isReading && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document')
    return false;
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') return true;
  const { origin, host } = headers;
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host;
}

function isForPerson({ method, url, headers }: FastifyRequest): boolean {
  return method === 'GET' && !url.startsWith('/api/') && /\btext\/html\b/.test(headers.accept ?? '');
}
