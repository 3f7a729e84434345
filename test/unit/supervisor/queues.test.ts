/** Queues in `status`: whatever the management API does, the answer arrives soon and contains what is known. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { askQueues } from '../../../src/supervisor/queues';
import { wantedBy } from '../../../lab/wanted-actors';

const NO_FILE = '/nonexistent/queues.json';

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const asked = (managementUrl: string) =>
  askQueues(wantedBy({ rabbitmq: { url: 'amqp://b/', managementUrl } }).topology, [], NO_FILE);

describe('the queues in status', { concurrency: true }, () => {
  for (const [what, listener] of [
    ['never answers', () => undefined],
    ['begins an answer and never ends it', (_request, response) => response.writeHead(200).write('[')],
    [
      'answers the first question only',
      (request, response) => {
        if (request.url?.includes('frames') === true) response.end('[]');
      },
    ],
  ] satisfies [string, RequestListener][])
    it(`are unknown after a second if a management API ${what}`, async (t) => {
      const url = await serve(t, listener);
      const answer = await asked(url);
      assert.deepEqual(answer, {
        kind: 'unknown',
        message: `RabbitMQ's management API at ${url} did not answer within 1000 ms; check "managementUrl"`,
      });
    });

  it('are known if it answers, even if a request takes half a second', async (t) => {
    const url = await serve(t, (request, response) => {
      setTimeout(() => response.end('[]'), request.url?.includes('frames') === true ? 500 : 0);
    });
    assert.equal((await asked(url)).kind, 'known');
  });

  it('are requested only if there is a management API', async () => {
    const answer = await askQueues(wantedBy({}).topology, [], NO_FILE);
    assert.match(answer.kind === 'unknown' ? answer.message : '', /^set "managementUrl" of "rabbitmq"/);
  });
});
