/** GET /api/openapi.json, from the schemas of the routes: https://spec.openapis.org/oas/v3.1.0.html */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Vigil',
        version,
        description: 'Cameras, their pictures and their ledger. Times are milliseconds since the epoch.',
      },
      tags: [
        { name: 'state', description: 'The daemon and its cameras.' },
        { name: 'cameras', description: 'Settings of cameras, and what may be done to them.' },
        { name: 'pictures', description: 'Present pictures.' },
        { name: 'ledger', description: 'Coverage.' },
        { name: 'health', description: 'For monitoring.' },
        { name: 'access', description: 'Signing in.' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'vigil' },
        },
      },
      security: [{ bearer: [] }, { cookie: [] }],
    },
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
