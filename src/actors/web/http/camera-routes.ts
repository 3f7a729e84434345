/** The routes of one camera: its settings, and what may be done to it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { TSchema } from '@sinclair/typebox';
import { isObject } from '../../../config/is-object';
import {
  Begun,
  Body,
  CameraDetail,
  Conditions,
  EditDone,
  EditQuery,
  ProbeBody,
  ProbeReport,
} from './camera-schemas';
import type { CameraEdit, WebOperations } from './operations';
import { Problem } from './problem';
import { answers, cameraIn, noStore } from './routes';
import { CameraPath } from './schemas';
import type { WebSource } from './source';

/** Changes of an address a minute. */
const MAX_CHANGES = 120;
const MAX_PROBES = 30;
const MINUTE_MS = 60_000;
const REFUSALS = [404, 409, 412, 413, 415, 422, 503, 507] as const;

export const cameraRoutes: FastifyPluginAsyncTypebox<{
  readonly source: WebSource;
  readonly operations: WebOperations;
}> = async (app, { source, operations }) => {
  // Text would be taken from a form of another site.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    'application/merge-patch+json',
    { parseAs: 'string' },
    app.getDefaultJsonParser('error', 'error'),
  );
  app.addHook('onRequest', async (request) => throwUnlessJson(request));
  const limited = (max: number) => ({ rateLimit: { max, timeWindow: MINUTE_MS } });

  app.get(
    '/api/cameras/:id',
    {
      schema: {
        summary: 'One camera and its settings. The ETag is that of the configuration file.',
        tags: ['cameras'],
        params: CameraPath,
        response: answers(CameraDetail, 404, 503),
      },
    },
    async ({ params: { id } }, reply) => {
      const camera = cameraIn(await source.view(), id);
      const found = await operations.settings(id);
      if (found === undefined) return noStore(reply).send(camera);
      const { etag, ...settings } = found;
      return noStore(reply)
        .header('etag', etag)
        .send({ ...camera, ...settings });
    },
  );

  const edit = async (
    kind: CameraEdit['kind'],
    request: FastifyRequest & {
      readonly params: { readonly id: string };
      readonly query: { readonly plan: boolean };
    },
    settings: Readonly<Record<string, unknown>> = {},
  ) => {
    const { params, query, headers, ip } = request;
    const conditions = conditionsOf(headers);
    const isFree = query.plan || Object.keys(conditions).length > 0;
    if (!isFree) throw new Problem(428, 'precondition-required', PRECONDITION[kind]);
    return operations.edit({
      kind,
      camera: params.id,
      settings,
      planOnly: query.plan,
      by: ip,
      ...conditions,
    });
  };

  app.put(
    '/api/cameras/:id',
    {
      config: limited(MAX_CHANGES),
      schema: {
        summary: 'Replaces the settings of a camera, or adds one.',
        tags: ['cameras'],
        params: CameraPath,
        querystring: EditQuery,
        headers: Conditions,
        body: Body,
        response: { ...answers(EditDone, ...REFUSALS, 428), ...also(201, EditDone) },
      },
    },
    async (request, reply) => {
      const { done, etag } = await edit('put', request, settingsOf(request.body));
      const status = done.applied && done.created ? 201 : 200;
      return noStore(reply).header('etag', etag).code(status).send(done);
    },
  );

  app.patch(
    '/api/cameras/:id',
    {
      config: limited(MAX_CHANGES),
      schema: {
        summary: 'Changes settings of a camera; null takes one away (JSON Merge Patch, RFC 7396).',
        tags: ['cameras'],
        params: CameraPath,
        querystring: EditQuery,
        headers: Conditions,
        body: Body,
        response: answers(EditDone, ...REFUSALS, 428),
      },
    },
    async (request, reply) => {
      const { done, etag } = await edit('patch', request, settingsOf(request.body));
      return noStore(reply).header('etag', etag).send(done);
    },
  );

  app.delete(
    '/api/cameras/:id',
    {
      config: limited(MAX_CHANGES),
      schema: {
        summary: 'Removes a camera.',
        tags: ['cameras'],
        params: CameraPath,
        querystring: EditQuery,
        headers: Conditions,
        response: answers(EditDone, ...REFUSALS, 428),
      },
    },
    async (request, reply) => {
      const { done, etag } = await edit('remove', request);
      return noStore(reply).header('etag', etag).send(done);
    },
  );

  for (const [verb, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const)
    app.post(
      `/api/cameras/:id/${verb}`,
      {
        config: limited(MAX_CHANGES),
        schema: {
          summary: enabled ? 'Starts a camera that is disabled.' : 'Stops a camera and keeps its settings.',
          tags: ['cameras'],
          params: CameraPath,
          querystring: EditQuery,
          headers: Conditions,
          response: answers(EditDone, ...REFUSALS),
        },
      },
      async ({ params: { id }, query: { plan }, headers, ip }, reply) => {
        const asked = { kind: 'patch', camera: id, settings: { enabled }, planOnly: plan, by: ip } as const;
        const { done, etag } = await operations.edit({ ...asked, ...conditionsOf(headers) });
        return noStore(reply).header('etag', etag).send(done);
      },
    );

  app.post(
    '/api/cameras/:id/restart',
    {
      config: limited(MAX_CHANGES),
      schema: {
        summary: 'Gives a camera a new process, also out of quarantine. The answer does not wait for it.',
        tags: ['cameras'],
        params: CameraPath,
        response: { ...without200(answers(Begun, 404, 409, 415, 503)), ...also(202, Begun) },
      },
    },
    async ({ params: { id }, ip }, reply) => {
      await operations.restart(id, ip);
      return noStore(reply).code(202).send({ id });
    },
  );

  app.post(
    '/api/probe',
    {
      config: limited(MAX_PROBES),
      schema: {
        summary: 'Opens a feed, and says what it is or why it gives no picture. One at a time; others wait.',
        tags: ['cameras'],
        body: ProbeBody,
        response: answers(ProbeReport, 404, 409, 413, 415, 422, 503),
      },
    },
    async ({ body, ip }, reply) => {
      const { camera, seconds, ...settings } = body;
      return noStore(reply).send(await operations.probe(camera, settings, seconds, ip));
    },
  );
};

const HOW =
  'send If-Match with the ETag of GET /api/cameras/ID, or If-Match: * for a change whatever the file says now';
const PRECONDITION: Readonly<Record<CameraEdit['kind'], string>> = {
  put: `${HOW}; for a new camera, send If-None-Match: *`,
  patch: HOW,
  remove: HOW,
};

/** A form of another site sends other types without asking first (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
function throwUnlessJson({ method, headers }: FastifyRequest): void {
  const type = headers['content-type'];
  if (method === 'GET' || method === 'HEAD' || type === undefined) return;
  if (!/^application\/(?:merge-patch\+)?json\s*(?:;|$)/i.test(type))
    throw new Problem(
      415,
      'media-type',
      'the body has a Content-Type that is not supported; send application/json, or no body and no Content-Type',
    );
}

function settingsOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { settings } = body;
  return isObject(settings) ? settings : body;
}

function conditionsOf(headers: FastifyRequest['headers']): Pick<CameraEdit, 'ifMatch' | 'ifAbsent'> {
  const { 'if-match': match, 'if-none-match': none } = headers;
  return {
    // Compared strongly (RFC 9110, 13.1.1): a weak one is equal to none.
    ...(match === undefined ? {} : { ifMatch: match.split(',').map((each) => each.trim()) }),
    ...(none?.trim() === '*' ? { ifAbsent: true } : {}),
  };
}

function also(status: number, answer: TSchema): Record<string, unknown> {
  return { [status]: answer };
}

function without200({ 200: _, ...others }: Record<string, unknown>): Record<string, unknown> {
  return others;
}
