/** Cameras as they are shown and written back, and all of them at once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { editFile, readCamera } from '../../../../src/config/edit/file';
import type { Settings } from '../../../../src/config/edit/hidden';
import { camerasOf, edited, ENVIRONMENT, GATE, newFile, patch, SECRET } from './stage';

describe('settings of a camera', () => {
  it('are shown without user, password and the parts of a URL that may be one', async () => {
    const file = newFile();
    const { settings, hidden } = await readCamera(file, 'gate');
    assert.deepEqual(settings, { id: 'gate', url: 'rtsp://10.0.0.1:554/live?…' });
    assert.deepEqual(hidden, ['url', 'password']);
    assert.deepEqual((await readCamera(file, 'test')).hidden, []);
  });

  it('that are written back as they were shown change nothing, letter for letter', async () => {
    for (const camera of [
      GATE,
      { id: 'gate', url: '${GATE_URL}', username: 'u', password: 'p' },
      { id: 'gate', still: 'http://h/snap?user=a&password=b', enabled: false },
    ]) {
      const file = newFile({ cameras: [camera] });
      const before = readFileSync(file, 'utf8');
      const environment = { ...ENVIRONMENT, GATE_URL: 'rtsp://h/' };
      const { settings } = await readCamera(file, 'gate');
      for (const kind of ['put', 'patch'] as const) {
        await editFile(
          file,
          environment,
          { edit: { kind, camera: 'gate', settings }, isRemote: true },
          () => undefined,
        );
        assert.equal(readFileSync(file, 'utf8'), before);
      }
    }
  });

  const rows: readonly [string, Settings, Settings, Settings][] = [
    [
      'keep user and password in a URL of the same server',
      GATE,
      { url: 'rtsp://10.0.0.1:554/b' },
      { url: `rtsp://admin:${SECRET}@10.0.0.1:554/b` },
    ],
    ['take a new password', GATE, { password: 'new' }, { password: 'new' }],
    ['lose a password that is taken away', GATE, { password: null }, { password: undefined }],
    ['keep a password where a mask is written', GATE, { password: '••••' }, { password: GATE.password }],
    [
      'go to another server with a password of their own',
      GATE,
      { url: 'rtsp://10.0.0.9/', username: 'u', password: 'p' },
      { url: 'rtsp://10.0.0.9/', username: 'u', password: 'p' },
    ],
    [
      'leave user and password behind with the URL',
      { id: 'gate', url: 'rtsp://h/', username: 'u', password: 'p' },
      { url: null, test: 'testsrc2' },
      { test: 'testsrc2', url: undefined, username: undefined, password: undefined },
    ],
  ];
  for (const [what, before, change, expected] of rows)
    it(what, async () => {
      const file = newFile({ cameras: [before] });
      await edited(file, patch('gate', change));
      const [now = {}] = camerasOf(file);
      for (const [key, value] of Object.entries(expected)) assert.equal(now[key], value, key);
    });
});

describe('the cameras of another file', () => {
  it('replace those of this file, whose text stays if possible', async () => {
    const file = newFile(
      '{\n  "namespace": "n",\n  "cameras": [\n    { "id": "a",  "test": "testsrc2" },\n    { "id": "b", "test": "testsrc2" }\n  ]\n}\n',
    );
    const cameras = [
      { id: 'a', test: 'testsrc2' },
      { id: 'c', test: 'testsrc2' },
    ];
    await edited(file, { edit: { kind: 'apply', cameras, cameraDefaults: { rate: 2 } } });
    const text = readFileSync(file, 'utf8');
    assert.deepEqual(JSON.parse(text), { namespace: 'n', cameras, cameraDefaults: { rate: 2 } });
    assert.ok(text.includes('    { "id": "a",  "test": "testsrc2" },\n'), text);
    await edited(file, { edit: { kind: 'apply', cameras: cameras.toReversed() } });
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
      namespace: 'n',
      cameras: cameras.toReversed(),
    });
  });

  it('may be thousands', async () => {
    const file = newFile();
    const cameras = Array.from({ length: 3000 }, (_, i) => ({ id: `c${i}`, test: 'testsrc2' }));
    await edited(file, { edit: { kind: 'apply', cameras } });
    assert.equal(camerasOf(file).length, 3000);
  });
});
