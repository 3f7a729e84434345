/** The HTTP server on a real port: invalid HTTP, event streams, ports in use, pictures. Needs ffmpeg, no servers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { ApiCamera, ApiProblem, ApiState } from '../../src/actors/web/view/api';
import { openApp } from '../../src/actors/web/http/app';
import { EventStreams, MAX_STREAMS } from '../../src/actors/web/http/event-streams';
import { listenNear } from '../../src/actors/web/http/listen';
import type { WebOperations } from '../../src/actors/web/http/operations';
import { OwnNames } from '../../src/actors/web/http/own-names';
import { Sessions } from '../../src/actors/web/http/sessions';
import type { WebSource } from '../../src/actors/web/http/source';
import type { View } from '../../src/actors/web/view/daemon-view';
import { keptLog } from '../../lab/kept-log';
import { freePort } from '../../lab/free-port';
import { waitUntil } from '../../lab/process';

const dir = mkdtempSync(path.join(tmpdir(), 'vigil-web-'));
after(() => rmSync(dir, { recursive: true }));

describe('the HTTP server on a port', () => {
  const camera: ApiCamera = {
    ...{ id: 'gate', tags: [], condition: 'delivering', since: 1, rate: 1, wantedRate: 1, restarts: 0 },
  };
  let restarts = 0;
  const source = {
    view: async () =>
      ({ state: { version: '1' } as ApiState, cameras: [{ ...camera, restarts }] }) as unknown as View,
  } as WebSource;
  const events = new EventStreams(() => source.view());
  let app: FastifyInstance;
  let port: number;

  before(async () => {
    app = await openApp({
      source,
      operations: {} as WebOperations,
      events,
      names: new OwnNames('127.0.0.1', []),
      sessions: new Sessions(undefined),
      pageDir: path.join(dir, 'none'),
      version: '1',
      log: keptLog(),
    });
    port = await listenNear(app.server, await freePort(), '127.0.0.1', dir);
  });
  after(async () => {
    events.close();
    app.server.closeAllConnections();
    app.server.close();
    await app.close();
  });

  /** Everything that the server answers to these bytes until it closes. */
  const said = async (bytes: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.write(bytes);
    await once(socket, 'close');
    return text;
  };
  const url = (route: string) => `http://127.0.0.1:${port}${route}`;

  const refused: readonly [what: string, bytes: string, status: number][] = [
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', 400],
    ['no Host', 'GET /api/state HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['an empty Host', 'GET /api/state HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n', 421],
    [
      'a name of another in an absolute URL',
      'GET /api/state HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      421,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'two lengths',
      'POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
    ],
    [
      'two framings',
      'POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
      400,
    ],
  ];
  for (const [what, bytes, status] of refused)
    it(`answers ${what} with ${status} and keeps serving`, async () => {
      const text = await said(bytes);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), text);
      assert.equal((await fetch(url('/healthz'))).status, 200);
    });

  it('answers invalid HTTP with problem details too', async () => {
    const [head = '', body = ''] = (await said('hello\r\n\r\n')).split('\r\n\r\n');
    assert.match(head, /content-type: application\/problem\+json/i);
    assert.equal((JSON.parse(body) as ApiProblem).status, 400);
  });

  it('takes the next port if one is in use, and the same one after a restart', async () => {
    const taken = createServer();
    const first = await listenNear(
      taken as never,
      await freePort(60_000),
      '127.0.0.1',
      path.join(dir, 'nowhere'),
    );
    const [one, two] = [createServer(), createServer()];
    const own = mkdtempSync(path.join(dir, 'own-'));
    const second = await listenNear(one as never, first, '127.0.0.1', own);
    assert.ok(second > first && second <= first + 100, `${second} after ${first}`);
    for (const server of [one, taken]) {
      server.close();
      await once(server, 'close');
    }
    // The preferred port is free now, but clients know the other one.
    assert.equal(await listenNear(two as never, first, '127.0.0.1', own), second);
    two.close();
  });

  it('reports an address that this machine does not have', async () => {
    await assert.rejects(listenNear(createServer() as never, 8080, '192.0.2.1', dir), {
      code: 'EADDRNOTAVAIL',
    });
  });

  /** A client that reads the stream of events. */
  const listenTo = async (lastEventId?: string) => {
    const aborting = new AbortController();
    const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const response = await fetch(url('/api/events'), { headers, signal: aborting.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>)
        text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    const names = () => [...text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name);
    const lastId = () => [...text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1];
    const close = async () => {
      aborting.abort();
      await reading;
    };
    return { response, names, lastId, close, text: () => text };
  };

  it('streams changes, and resumes where a client left off', async () => {
    const first = await listenTo();
    await waitUntil('the first event', () => first.names().includes('reset'));
    assert.match(String(first.response.headers.get('content-type')), /^text\/event-stream/);
    assert.match(String(first.response.headers.get('content-security-policy')), /default-src 'none'/);
    restarts++;
    await waitUntil('the change', () => first.names().includes('camera'));
    const last = first.lastId();
    await first.close();
    restarts++;
    const second = await listenTo(last);
    await waitUntil('what was missed', () => second.names().length > 0);
    assert.deepEqual(second.names(), ['camera']);
    assert.match(second.text(), /"restarts":2/);
    const third = await listenTo('0123456789ab-7');
    await waitUntil('everything', () => third.names().length > 0);
    assert.deepEqual(third.names(), ['reset']);
    await Promise.all([second.close(), third.close()]);
    await waitUntil('nobody listens', () => events.count === 0);
  });

  it(`has ${MAX_STREAMS} streams at most, and room again when one ends`, async () => {
    const streams = await Promise.all(Array.from({ length: MAX_STREAMS }, () => listenTo()));
    assert.deepEqual([...new Set(streams.map(({ response }) => response.status))], [200]);
    const more = await fetch(url('/api/events'));
    assert.deepEqual([more.status, more.headers.get('retry-after')], [503, '10']);
    assert.equal(((await more.json()) as ApiProblem).code, 'too-many-streams');
    await streams.pop()?.close();
    await waitUntil('one has ended', () => events.count === MAX_STREAMS - 1);
    const next = await listenTo();
    assert.equal(next.response.status, 200);
    await Promise.all([...streams, next].map((stream) => stream.close()));
  });
});
