/** The HTTP server: access control, the API, and the files of the page. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Server } from 'node:http';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Log } from '../../../log/log';
import type { WebSource } from './source';
import type { EventStreams } from './event-streams';
import { guard } from './guard';
import { describeApi } from './open-api';
import type { OwnNames } from './own-names';
import { Problem, PROBLEM_TYPE, problemOf } from './problem';
import { cameraRoutes } from './camera-routes';
import type { WebOperations } from './operations';
import { routes } from './routes';
import { makeServer, type Certificate } from './server';
import type { Sessions } from './sessions';
import { signIn } from './sign-in';

/** Most requests from one address in ten seconds: a wall of 200 cameras makes 200 a second. */
const MAX_REQUESTS = 5000;
const WINDOW_MS = 10_000;
/** Files of web/: colours and fonts, buttons, the sign-in form. */
const STYLES = ['base.css', 'parts.css', 'sign-in-form.css'];
const MAX_BODY_BYTES = 65_536;

export interface AppOptions {
  readonly source: WebSource;
  readonly operations: WebOperations;
  readonly events: EventStreams;
  readonly names: OwnNames;
  readonly sessions: Sessions;
  readonly certificate?: Certificate;
  /** Folder of the page. */
  readonly pageDir: string;
  readonly version: string;
  readonly log: Log;
}

/** Ready to answer; `app.server` is not listening yet. */
export async function openApp(options: AppOptions): Promise<FastifyInstance> {
  const { log, certificate, sessions, names, source, operations, events, version, pageDir } = options;
  const app = fastify({
    serverFactory: (answer): Server => makeServer(certificate, answer),
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true } },
    frameworkErrors: (error, _request, reply) => void refuse(error, reply as FastifyReply, log),
    // The server's own: serverFactory.
    clientErrorHandler: () => undefined,
  });
  app.setErrorHandler(async (error, _request, reply) => refuse(error, reply, log));
  app.addHook('onRequest', async (request, reply) => guard(request, reply, { names, sessions }));
  await app.register(helmet, policies(certificate !== undefined));
  await app.register(rateLimit, { max: MAX_REQUESTS, timeWindow: WINDOW_MS, errorResponseBuilder: tooMany });
  await describeApi(app, version);
  await app.register(signIn, {
    sessions,
    isSecure: certificate !== undefined,
    styles: signInStyles(pageDir),
  });
  await app.register(routes, { source, events, sessions });
  await app.register(cameraRoutes, { source, operations });
  await servePage(app, pageDir);
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, async (_request, reply) =>
    refuse(
      new Problem(
        404,
        'not-found',
        'there is nothing at this URL; GET /api/openapi.json lists what there is',
      ),
      reply,
      log,
    ),
  );
  await app.ready();
  return app;
}

/** Allows no script, style or picture from other origins, and no embedding in other sites. */
function policies(isSecure: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' as const },
    xFrameOptions: { action: 'deny' as const },
    strictTransportSecurity: isSecure ? { maxAge: 15_552_000, includeSubDomains: false } : false,
  };
}

function tooMany(_request: unknown, { ttl }: { readonly ttl: number }): Problem {
  const seconds = Math.ceil(ttl / 1000);
  return new Problem(
    429,
    'too-many-requests',
    `too many requests from this address; try again in ${seconds} s`,
  );
}

async function refuse(error: unknown, reply: FastifyReply, log: Log): Promise<FastifyReply> {
  const problem = problemOf(error);
  if (problem.code === 'internal')
    log.error(`a request failed: ${(error as Error).message}`, {
      code: 'bug',
      stack: (error as Error).stack,
    });
  return reply
    .code(problem.status)
    .headers({ ...problem.headers, 'cache-control': 'no-store' })
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem.body));
}

/** Styles for the sign-in form, because the page's files are not served before the sign-in. */
function signInStyles(pageDir: string): string {
  const files = STYLES.map((name) => path.join(pageDir, name));
  return files.every((file) => existsSync(file))
    ? files.map((file) => readFileSync(file, 'utf8')).join('')
    : '';
}

/** The files of the build; a daemon without them answers with the API alone. */
async function servePage(app: FastifyInstance, pageDir: string): Promise<void> {
  if (existsSync(path.join(pageDir, 'index.html'))) {
    await app.register(fastifyStatic, { root: pageDir, etag: true, maxAge: 0, dotfiles: 'ignore' });
    return;
  }
  app.get('/', { schema: { hide: true } }, (_, reply) =>
    reply
      .type('text/plain')
      .send(
        'Vigil runs. The page has not been built: run npm run build. The API is described at /api/openapi.json.\n',
      ),
  );
}
