/** Signing in and out: the token against a cookie. */
import { Type } from '@sinclair/typebox';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Problem } from './problem';
import { SignIn } from './schemas';
import { noCookie, type Sessions } from './sessions';
import { signInPage } from './sign-in-page';

const NOTHING: Record<string, unknown> = { 204: Type.Null({ description: 'Done.' }) };
/** Tries of an address a minute. */
const MAX_TRIES = 10;

export const signIn: FastifyPluginAsyncTypebox<{
  readonly sessions: Sessions;
  readonly isSecure: boolean;
  /** CSS of the page; empty if it has not been built. */
  readonly styles: string;
}> = async (app, { sessions, isSecure, styles }) => {
  // For the form of the sign-in page.
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))),
  );
  app.get('/sign-in', { config: { isOpen: true }, schema: { hide: true } }, (_, reply) =>
    sessions.areNeeded ? reply.type('text/html').send(signInPage(false)) : reply.redirect('/', 303),
  );
  app.get('/sign-in.css', { config: { isOpen: true }, schema: { hide: true } }, (_, reply) =>
    reply.type('text/css').send(styles),
  );
  app.post(
    '/sign-in',
    {
      config: { isOpen: true, rateLimit: { max: MAX_TRIES, timeWindow: 60_000 } },
      schema: {
        summary: 'Gives a cookie for the token.',
        tags: ['access'],
        security: [],
        body: SignIn,
        response: NOTHING,
      },
    },
    (request, reply) => {
      const isForm = !/json/.test(request.headers['content-type'] ?? '');
      if (!sessions.isToken(request.body.token)) {
        if (isForm) return reply.code(401).type('text/html').send(signInPage(true));
        throw new Problem(401, 'wrong-token', 'that is not the token');
      }
      reply.header('set-cookie', sessions.cookie(isSecure)).header('cache-control', 'no-store');
      return isForm ? reply.redirect('/', 303) : reply.code(204).send(null);
    },
  );
  app.post(
    '/sign-out',
    {
      config: { isOpen: true },
      schema: {
        summary: 'Takes the cookie back.',
        tags: ['access'],
        security: [],
        response: NOTHING,
      },
    },
    (_, reply) => reply.header('set-cookie', noCookie(isSecure)).code(204).send(null),
  );
};
