/** Cameras changed over HTTP: through the daemon's socket into the file, as the OpenAPI document says. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import Ajv from 'ajv';
import type { ApiCameraDetail, ApiProblem } from '../../../../src/actors/web/view/api';
import { ANY, CANARY, CONFIG, NEW, NOTHING, openEditable } from '../../../../lab/editable-cameras';
import type { EditableDaemon } from '../../../../lab/editable-daemon';

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
      >
    >
  >;
}

describe('a camera over HTTP', () => {
  it('is added, shown, changed, disabled, enabled, restarted and removed, by the answers of the OpenAPI document', async (t) => {
    const daemon = await openEditable(t, { probe: async () => ({ report: NOTHING, jpeg: 'AA==' }) });
    const { paths } = (await daemon.ask('GET', '/api/openapi.json')).json<Document>();
    const steps: readonly (readonly [number, Parameters<EditableDaemon['ask']>])[] = [
      [200, ['PUT', '/api/cameras/yard?plan=true', { test: 'testsrc2' }]],
      [201, ['PUT', '/api/cameras/yard', { test: 'testsrc2' }, NEW]],
      [200, ['GET', '/api/cameras/yard']],
      [200, ['PUT', '/api/cameras/yard', { test: 'mandelbrot' }, ANY]],
      [200, ['PATCH', '/api/cameras/yard', { rate: 2 }, ANY]],
      [200, ['POST', '/api/cameras/yard/disable']],
      [409, ['POST', '/api/cameras/yard/restart']],
      [200, ['POST', '/api/cameras/yard/enable']],
      [202, ['POST', '/api/cameras/yard/restart']],
      [200, ['POST', '/api/probe', { camera: 'yard', rate: 1 }]],
      [200, ['DELETE', '/api/cameras/yard', undefined, ANY]],
      [404, ['DELETE', '/api/cameras/yard', undefined, ANY]],
    ];
    for (const [status, [method, url, ...more]] of steps) {
      const response = await daemon.ask(method, url, ...more);
      assert.equal(response.statusCode, status, `${method} ${url}: ${response.body}`);
      const route = url.replace(/\?.*/, '').replace('/yard', '/{id}');
      const type = status < 400 ? 'application/json' : 'application/problem+json';
      const schema = paths[route]?.[method.toLowerCase()]?.responses[String(status)]?.content?.[type]?.schema;
      assert.ok(schema !== undefined, `${method} ${route} ${status}`);
      const ajv = new Ajv({ strict: false });
      assert.ok(ajv.validate(schema, response.json()), `${method} ${url}: ${ajv.errorsText()}`);
      assert.equal(response.headers['cache-control'], 'no-store');
    }
    assert.deepEqual(daemon.cameras, CONFIG.cameras);
    assert.deepEqual(daemon.restarted, ['yard']);
  });

  it('is applied before the answer, once and like an edit by hand, and the log says by whom', async (t) => {
    const daemon = await openEditable(t);
    await daemon.ask('PUT', '/api/cameras/yard', { test: 'testsrc2' }, NEW);
    assert.deepEqual(daemon.applied[0], ['gate', 'test', 'yard']);
    const said = daemon.log.lines
      .filter(([, , fields]) => fields?.['code'] === 'edit')
      .map(([, line]) => line);
    assert.deepEqual(said, ['camera yard was added by 127.0.0.1: start camera:new; leave 0 as they are']);
  });

  it('has settings without passwords, which written back whole change nothing', async (t) => {
    const daemon = await openEditable(t);
    const { text } = daemon;
    const shown = await daemon.ask('GET', '/api/cameras/gate');
    const detail = shown.json<ApiCameraDetail>();
    assert.deepEqual(detail.settings, { id: 'gate', url: 'rtsp://10.0.0.1/live?…' });
    assert.deepEqual(detail.hidden, ['url', 'password']);
    const match = { 'if-match': String(shown.headers.etag) };
    for (const method of ['PUT', 'PATCH'] as const)
      for (const body of [detail, detail.settings]) {
        const response = await daemon.ask(method, '/api/cameras/gate', body, match);
        assert.equal(response.statusCode, 200, response.body);
        assert.equal(daemon.text, text);
      }
  });

  it('is changed by exactly one of two clients that know the same file', async (t) => {
    const daemon = await openEditable(t);
    const { etag } = (await daemon.ask('GET', '/api/cameras/test')).headers;
    const ends = await Promise.all(
      [2, 3, 4, 5].map((rate) =>
        daemon.ask('PATCH', '/api/cameras/test', { rate }, { 'if-match': String(etag) }),
      ),
    );
    const statuses = ends.map(({ statusCode }) => statusCode).sort();
    assert.deepEqual(statuses, [200, 412, 412, 412]);
    assert.equal(
      ends.find(({ statusCode }) => statusCode === 412)?.json<ApiProblem>().code,
      'changed-meanwhile',
    );
  });

  it('is refused with a problem that says why, and the file stays', async (t) => {
    const daemon = await openEditable(t, { environment: { GATE_PASSWORD: CANARY, SECRET: CANARY } });
    const { text } = daemon;
    const rows: readonly (readonly [number, string, Parameters<EditableDaemon['ask']>])[] = [
      [428, 'precondition-required', ['PATCH', '/api/cameras/test', { rate: 2 }]],
      [428, 'precondition-required', ['PUT', '/api/cameras/yard', { test: 'testsrc2' }]],
      [428, 'precondition-required', ['DELETE', '/api/cameras/test']],
      [404, 'no-camera', ['GET', '/api/cameras/none']],
      [404, 'no-camera', ['PATCH', '/api/cameras/none', { rate: 2 }, ANY]],
      [404, 'no-camera', ['DELETE', '/api/cameras/none', undefined, ANY]],
      [404, 'no-camera', ['POST', '/api/cameras/none/restart']],
      [404, 'no-camera', ['POST', '/api/cameras/none/enable']],
      [404, 'no-camera', ['POST', '/api/probe', { camera: 'none' }]],
      [409, 'camera-disabled', ['POST', '/api/cameras/off/restart']],
      [400, 'invalid-request', ['PUT', '/api/cameras/a%2Fb', { test: 'testsrc2' }, NEW]],
      [400, 'invalid-request', ['PUT', '/api/cameras/yard', [], NEW]],
      [400, 'invalid-request', ['PUT', '/api/cameras/yard', undefined, NEW]],
      [400, 'invalid-request', ['POST', '/api/probe', { url: 'rtsp://h/', seconds: 3600 }]],
      [412, 'camera-exists', ['PUT', '/api/cameras/gate', { test: 'testsrc2' }, NEW]],
      [412, 'changed-meanwhile', ['DELETE', '/api/cameras/test', undefined, { 'if-match': '"0"' }]],
      [413, 'too-large', ['PUT', '/api/cameras/yard', { test: 'x'.repeat(70_000) }, NEW]],
      [415, 'media-type', ['PUT', '/api/cameras/yard', '{}', { ...NEW, 'content-type': 'text/plain' }]],
      [
        415,
        'media-type',
        ['POST', '/api/cameras/test/disable', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
      ],
      [422, 'wrong-id', ['PUT', '/api/cameras/yard', { id: 'other', test: 'testsrc2' }, NEW]],
      [422, 'invalid-settings', ['PATCH', '/api/cameras/test', { rate: CANARY }, ANY]],
      [422, 'invalid-settings', ['PUT', '/api/cameras/yard', { url: `file:///${CANARY}` }, NEW]],
      [422, 'invalid-settings', ['POST', '/api/probe', { url: 'concat:/etc/passwd' }]],
      [422, 'invalid-settings', ['POST', '/api/probe', { still: 'pipe:0' }]],
      [422, 'local-file', ['POST', '/api/probe', { file: '/etc/passwd' }]],
      [422, 'new-variable', ['POST', '/api/probe', { url: 'rtsp://h/${SECRET}' }]],
      [422, 'password-needed', ['POST', '/api/probe', { camera: 'gate', url: 'rtsp://evil/' }]],
      [422, 'password-needed', ['PATCH', '/api/cameras/gate', { url: 'rtsp://evil/' }, ANY]],
      [422, 'hidden-value', ['PUT', '/api/cameras/yard', { url: 'rtsp://h/', password: '***' }, NEW]],
    ];
    for (const [status, code, asked] of rows) {
      const response = await daemon.ask(...asked);
      const what = `${asked[0]} ${asked[1]}: ${response.body}`;
      assert.equal(response.statusCode, status, what);
      assert.match(String(response.headers['content-type']), /^application\/problem\+json/, what);
      const problem = response.json<ApiProblem>();
      assert.equal(problem.code, code, what);
      assert.ok((problem.detail ?? '').length > 0, what);
      // A value is returned to the client that sent it; stored values are never shown.
      if (code !== 'invalid-settings') assert.ok(!response.body.includes(CANARY), what);
    }
    assert.equal(daemon.text, text);
    assert.deepEqual(daemon.applied, []);
    assert.ok(!JSON.stringify(daemon.log.lines).includes(CANARY));
  });

  it('is refused, and still shown, while the file is broken, read-only or a folder', async (t) => {
    const daemon = await openEditable(t);
    const patch = () => daemon.ask('PATCH', '/api/cameras/test', { rate: 2 }, ANY);
    const { text, file } = daemon;
    const tried = async (status: number, code: string) => {
      const response = await patch();
      assert.deepEqual(
        [response.statusCode, response.json<ApiProblem>().code],
        [status, code],
        response.body,
      );
      assert.equal((await daemon.ask('GET', '/api/cameras/test')).statusCode, 200);
    };
    writeFileSync(file, '{"cameras": [');
    await tried(409, 'invalid-configuration');
    writeFileSync(file, text);
    chmodSync(file, 0o444);
    await tried(409, 'read-only');
    chmodSync(file, 0o644);
    renameSync(file, `${file}.away`);
    mkdirSync(file);
    await tried(503, 'cannot-read');
    rmdirSync(file);
    renameSync(`${file}.away`, file);
    assert.equal((await patch()).statusCode, 200);
  });
});
