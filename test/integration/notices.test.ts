/** Notices to a real receiver that is slow, fails, closes or is away; and verified TLS. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { post, type Posted } from '../../src/actors/notices/post';
import { boundedText } from '../../src/os/bounded-text';
import { Certificates } from '../../lab/certificates';
import { run } from '../../lab/process';

const NEVER = new AbortController().signal;
const BODY = '{"type":"vigil.camera.offline"}';
const send = (url: string, signal = NEVER) => post(url, { 'webhook-id': 'msg_1' }, BODY, signal);

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const receiver = async (t: TestContext, answer: RequestListener) =>
  `http://${await listening(t, createServer(answer))}`;

const faultOf = (posted: Posted) => ('fault' in posted ? posted.fault : undefined);

describe('a notice', () => {
  it('is a POST of JSON with its headers, and credentials of the URL go into a header', async (t) => {
    const seen: { request: IncomingMessage; body: string }[] = [];
    const base = await receiver(t, (request, response) => {
      void boundedText(request, 10_000, 'a body').then((body) => {
        seen.push({ request, body });
        response.writeHead(204).end();
      });
    });
    const url = `${base.replace('//', '//us%65r:p%40ss@')}/a/b?c=d`;
    assert.deepEqual(await send(url), { kind: 'accepted' });
    const [{ request, body } = assert.fail()] = seen;
    const { method, url: target, headers } = request;
    assert.deepEqual([method, target, body], ['POST', '/a/b?c=d', BODY]);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['webhook-id'], 'msg_1');
    assert.equal(headers.authorization, `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  });

  const statuses: readonly [number, Posted['kind'], RegExp][] = [
    [200, 'accepted', /^$/],
    [202, 'accepted', /^$/],
    [301, 'failed', /^answers 301, a redirect, which is not followed; give the URL it leads to$/],
    [308, 'failed', /^answers 308, a redirect/],
    [400, 'refused', /^refuses a notice with status 400$/],
    [401, 'failed', /^answers with status 401$/],
    [404, 'failed', /^answers with status 404$/],
    [410, 'gone', /^answers 410: it wants no more notices$/],
    [413, 'refused', /^refuses a notice/],
    [429, 'failed', /^answers with status 429$/],
    [500, 'failed', /^answers with status 500$/],
    [503, 'failed', /^answers with status 503$/],
  ];
  for (const [status, kind, message] of statuses)
    it(`that is answered with ${status} is ${kind}`, async (t) => {
      let requests = 0;
      const base = await receiver(t, (_, response) => {
        requests++;
        response.writeHead(status, { location: '/elsewhere' }).end('why');
      });
      const posted = await send(base);
      assert.equal(posted.kind, kind);
      assert.match(faultOf(posted)?.message ?? '', message);
      assert.equal(requests, 1);
    });

  it('is tried again when the server says, within an hour', async (t) => {
    const pauses: unknown[] = [];
    for (const after of ['7', '99999', 'soon']) {
      const base = await receiver(t, (_, response) =>
        response.writeHead(429, { 'retry-after': after }).end(),
      );
      const posted = await send(base);
      pauses.push(posted.kind === 'failed' ? posted.pauseMs : posted);
    }
    assert.deepEqual(pauses, [7000, 3_600_000, undefined]);
  });

  it('to a server that closes, is away, or does not speak HTTP fails with a sentence', async (t) => {
    const closing = await receiver(t, (request) => request.socket.destroy());
    assert.deepEqual(faultOf(await send(closing)), {
      ...{ code: 'ECONNRESET', message: 'closed the connection without an answer' },
    });
    const gone = createTcpServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    assert.equal(faultOf(await send(`http://127.0.0.1:${port}/`))?.message, 'refuses connections');
    const odd = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-x\r\n'));
    odd.listen(0, '127.0.0.1');
    await once(odd, 'listening');
    t.after(() => odd.close());
    const { port: oddPort } = odd.address() as AddressInfo;
    assert.equal(
      faultOf(await send(`http://127.0.0.1:${oddPort}/`))?.message,
      'answers with something that is not HTTP',
    );
  });

  it('to a server that does not answer is given up when the actor stops', async (t) => {
    const stopping = new AbortController();
    const base = await receiver(t, () => stopping.abort());
    assert.equal((await send(base, stopping.signal)).kind, 'failed');
  });

  it('does not wait for the body of an answer', async (t) => {
    const base = await receiver(t, (_, response) => response.writeHead(200).write('more to come'));
    assert.deepEqual(await send(base), { kind: 'accepted' });
  });
});

describe('a notice over TLS', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-notice-tls-'));
  after(() => rmSync(dir, { recursive: true }));
  const { cert, key } = new Certificates(dir).make('receiver');

  it('is sent only if the certificate is trusted', async (t) => {
    let requests = 0;
    const answer: RequestListener = (_, response) => {
      requests++;
      response.end();
    };
    const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer);
    const base = `https://${await listening(t, server)}/`;
    assert.match(
      faultOf(await send(base))?.message ?? '',
      /authority that is not trusted; .*NODE_EXTRA_CA_CERTS/,
    );
    assert.equal(requests, 0);
    const program = `require('tsx/cjs'); require('./src/actors/notices/post').post(${JSON.stringify(base)}, {}, '{}', new AbortController().signal).then((posted) => console.log(posted.kind))`;
    const { stdout } = await run('env', [`NODE_EXTRA_CA_CERTS=${cert}`, process.execPath, '-e', program]);
    assert.equal(stdout.toString().trim(), 'accepted');
    assert.equal(requests, 1);
  });

  it('to a server without TLS fails with what to check', async (t) => {
    const base = await receiver(t, (_, response) => response.end());
    assert.match(
      faultOf(await send(base.replace('http:', 'https:')))?.message ?? '',
      /TLS; check that its URL/,
    );
  });
});
