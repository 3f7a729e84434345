/** The routes of the API, with their schemas. */
import { Type, type TSchema } from '@sinclair/typebox';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { LatestPicture, WebSource } from './source';
import { compressed } from './compressed';
import type { EventStreams } from './event-streams';
import { Problem, PROBLEM_TYPE } from './problem';
import {
  Alive,
  CameraPath,
  Cameras,
  CamerasQuery,
  Crashes,
  Ledger,
  LedgerQuery,
  PictureQuery,
  ProblemSchema,
  Ready,
  State,
} from './schemas';
import type { Sessions } from './sessions';
import type { View } from '../view/daemon-view';
import type { ApiCamera } from '../view/api';
import { hasAll } from '../../../contract/tags';

export interface RouteOptions {
  readonly source: WebSource;
  readonly events: EventStreams;
  readonly sessions: Sessions;
}

export const problem = { description: 'Why not.', content: { [PROBLEM_TYPE]: { schema: ProblemSchema } } };

/** Answers of a route: that of success, and problems of these kinds. */
export function answers(success: TSchema, ...problems: readonly number[]): Record<string, unknown> {
  const always = [400, 401, 403, 421, 429, 500];
  return {
    200: success,
    ...Object.fromEntries([...always, ...problems].map((status) => [status, problem])),
  };
}

const text = (type: string, description: string): TSchema =>
  ({ description, content: { [type]: { schema: Type.String() } } }) as unknown as TSchema;

export const routes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { source, events, sessions }) => {
  app.get(
    '/healthz',
    {
      config: { isOpen: true },
      schema: {
        summary: 'Whether this server answers.',
        tags: ['health'],
        security: [],
        response: answers(Alive),
      },
    },
    () => ({ status: 'alive' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { isOpen: true },
      schema: {
        summary:
          'Whether the daemon does its work. Only answers to requests with the token give the reasons.',
        tags: ['health'],
        security: [],
        response: answers(Ready, 503),
      },
    },
    async (request) => {
      const { state } = await source.view();
      const reasons = [...state.problems];
      if (reasons.length === 0 && state.ready) return { status: 'ready' as const };
      const more = sessions.letsIn(request.headers) ? { reasons } : {};
      throw new Problem(503, 'not-ready', 'the daemon does not do its work', more);
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Figures for Prometheus.',
        tags: ['health'],
        response: answers(text('text/plain', 'Text format 0.0.4.'), 503),
      },
    },
    async (_, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await source.metrics()),
  );

  app.get(
    '/api/state',
    { schema: { summary: 'The daemon.', tags: ['state'], response: answers(State, 503) } },
    async (_, reply) => noStore(reply).send((await source.view()).state),
  );

  app.get(
    '/api/cameras',
    {
      schema: {
        summary: 'All cameras, in the order of the configuration, or those with all of these tags.',
        tags: ['state'],
        querystring: CamerasQuery,
        response: answers(Cameras, 503),
      },
    },
    async ({ query: { tag = [] } }, reply) => {
      const { cameras } = await source.view();
      return noStore(reply).send(cameras.filter(({ tags }) => hasAll(tags, [tag].flat())));
    },
  );

  app.get(
    '/api/cameras/:id/latest.jpg',
    {
      schema: {
        summary: 'The present picture of a camera, as JPEG; 404 where there is none, or only an old one.',
        tags: ['pictures'],
        params: CameraPath,
        querystring: PictureQuery,
        response: answers(text('image/jpeg', 'X-Captured-At: when it was captured, ISO 8601.'), 404, 503),
      },
    },
    async ({ params: { id }, query: { width }, headers }, reply) => {
      const latest = await source.latest(id, width);
      const describe = ({ etag, capturedAt }: LatestPicture) =>
        reply
          .header('etag', etag)
          .header('cache-control', 'private, no-cache')
          .header('x-captured-at', new Date(capturedAt).toISOString());
      if (matches(headers['if-none-match'], latest.etag)) return describe(latest).code(304).send();
      const made = await latest.make();
      return describe(made).type('image/jpeg').send(made.jpeg);
    },
  );

  app.get(
    '/api/cameras/:id/crashes',
    {
      onSend: compressed,
      schema: {
        summary: 'Unexpected ends of the process of a camera, the newest first.',
        tags: ['state'],
        params: CameraPath,
        response: answers(Crashes, 404, 503),
      },
    },
    async ({ params: { id } }, reply) => noStore(reply).send(await source.crashes(id)),
  );

  app.get(
    '/api/ledger',
    {
      onSend: compressed,
      schema: {
        summary: 'The outcome of the sampling periods of each camera, in buckets of time.',
        tags: ['ledger'],
        querystring: LedgerQuery,
        response: answers(Ledger, 503),
      },
    },
    async ({ query: { since, buckets, camera } }, reply) =>
      noStore(reply).send(await source.ledger({ since, buckets, camera })),
  );

  app.get(
    '/api/events',
    {
      schema: {
        summary: 'What changes, as server-sent events; resumes behind Last-Event-ID.',
        tags: ['state'],
        response: answers(
          text('text/event-stream', 'Events reset, state, camera, removed and picture.'),
          503,
        ),
      },
    },
    async (request, reply) => {
      await events.prepare();
      const { 'last-event-id': last } = request.headers;
      reply.hijack();
      const headers = reply.getHeaders() as Record<string, string>;
      events.open(reply.raw, headers, typeof last === 'string' ? last : undefined);
    },
  );
};

/** @throws Problem where this daemon does not have it */
export function cameraIn(
  { cameras, status: { fleet } }: Pick<View, 'cameras' | 'status'>,
  id: string,
): ApiCamera {
  const camera = cameras.find((each) => each.id === id);
  if (camera !== undefined) return camera;
  const sentence =
    fleet === undefined
      ? `the configuration has no camera "${id}"`
      : `node "${fleet.node}" does not run camera "${id}" now; \`status --fleet\` says which node does, and its page and API have it`;
  throw new Problem(404, 'no-camera', sentence);
}

export function noStore<R extends { header(name: string, value: string): R }>(reply: R): R {
  return reply.header('cache-control', 'no-store');
}

/** RFC 9110, 13.1.2: compared weakly. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')));
}
