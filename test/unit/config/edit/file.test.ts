/** Edits of a configuration file: whole or not at all, refused with a reason, and never with a password lost or shown. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  lstatSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { EditFaultCode } from '../../../../src/config/edit/fault';
import { etagOf, type EditRequest } from '../../../../src/config/edit/file';
import { ConfigurationError } from '../../../../src/config/faults';
import { parseTopology } from '../../../../src/config/load';
import { replaceUnchanged } from '../../../../src/config/edit/write';

import { camerasOf, edited, ENVIRONMENT, FILE, newFile, patch, put, remove, ROOT, SECRET } from './stage';

/** It is refused with that code, says no secret, and leaves the file and its folder as they were. */
async function refused(
  file: string,
  request: EditRequest,
  code: EditFaultCode,
  words?: RegExp,
): Promise<void> {
  const before = statSync(file).isFile() ? readFileSync(file, 'utf8') : '';
  await assert.rejects(edited(file, request), (error: Error & { code: string; faults: unknown }) => {
    assert.equal(error.code, code, error.message);
    if (words !== undefined) assert.match(error.message, words);
    assert.ok(!(error.message + JSON.stringify(error.faults)).includes(SECRET), error.message);
    return true;
  });
  if (statSync(file).isFile()) assert.equal(readFileSync(file, 'utf8'), before);
  assert.deepEqual(readdirSync(path.dirname(file)), [path.basename(file)]);
}

describe('an edit of a configuration file', { concurrency: true }, () => {
  it('adds, changes and removes a camera, and returns the new etag of the file', async () => {
    const file = newFile();
    const added = await edited(file, put('yard', { test: 'testsrc2', rate: 2 }));
    assert.deepEqual([added.created, added.etag], [true, etagOf(readFileSync(file))]);
    await edited(file, patch('yard', { rate: null, enabled: false }));
    assert.deepEqual(camerasOf(file)[2], { id: 'yard', test: 'testsrc2', enabled: false });
    const replaced = await edited(file, put('yard', { test: 'mandelbrot' }));
    assert.deepEqual([replaced.created, camerasOf(file)[2]], [false, { id: 'yard', test: 'mandelbrot' }]);
    await edited(file, remove('yard'));
    assert.equal(readFileSync(file, 'utf8'), `${JSON.stringify(FILE, null, 2)}\n`);
  });

  it('that is only planned changes nothing, but is still checked', async () => {
    const file = newFile();
    const before = readFileSync(file);
    const { etag } = await edited(file, { ...remove('gate'), planOnly: true });
    assert.equal(etag, etagOf(before));
    assert.deepEqual(readFileSync(file), before);
    await refused(file, { ...patch('test', { rate: 99 }), planOnly: true }, 'invalid-settings');
  });

  it('is refused with the same faults as an edit by hand', async () => {
    const file = newFile();
    for (const settings of [
      { rtae: 2 },
      { test: 'testsrc2', rate: 'x' },
      { url: 'file:///etc/passwd' },
      {},
    ]) {
      const byHand = JSON.stringify({ ...FILE, cameras: [...FILE.cameras, { id: 'yard', ...settings }] });
      let faults: unknown;
      try {
        parseTopology(byHand, file, ENVIRONMENT);
      } catch (error) {
        faults = (error as ConfigurationError).faults;
      }
      await assert.rejects(edited(file, put('yard', settings)), { code: 'invalid-settings', faults });
    }
  });

  const refusals: readonly [string, EditRequest, EditFaultCode, RegExp?][] = [
    ['of no camera', patch('none', { rate: 1 }), 'no-camera', /no camera "none"/],
    ['that removes no camera', remove('none'), 'no-camera'],
    ['that names another camera', put('yard', { id: 'gate', test: 'testsrc2' }), 'wrong-id'],
    ['of an id that cannot be', put('a/b', { test: 'testsrc2' }), 'invalid-settings', /\$\.cameras\[2\]\.id/],
    ['for a new camera that is there', { ...put('gate', {}), ifAbsent: true }, 'camera-exists'],
    ['of another file than there is', { ...remove('gate'), ifMatch: ['"0"'] }, 'changed-meanwhile'],
    ['by a weak validator', { ...remove('gate'), ifMatch: ['W/"0"'] }, 'changed-meanwhile'],
    ['of whatever is there, where nothing is', { ...put('yard', {}), ifMatch: ['*'] }, 'changed-meanwhile'],
    ['with a mask for a password', put('yard', { url: 'rtsp://h/', password: '***' }), 'hidden-value'],
    [
      'with a hidden part of another URL',
      patch('gate', { url: 'rtsp://10.0.0.1:554/other?…' }),
      'hidden-value',
    ],
    ['that sends a stored password elsewhere', patch('gate', { url: 'rtsp://10.0.0.2/' }), 'password-needed'],
    ['that sends it to another port', patch('gate', { url: 'rtsp://10.0.0.1:99/' }), 'password-needed'],
    ['that sends it by another protocol', put('gate', { still: 'http://10.0.0.1:554/' }), 'password-needed'],
    [
      'from afar with a variable that no camera uses',
      { ...put('yard', { url: 'rtsp://h/${OTHER}' }), isRemote: true },
      'new-variable',
      /OTHER/,
    ],
    [
      'from afar with a file of this machine',
      { ...put('yard', { file: 'a.mp4' }), isRemote: true },
      'local-file',
    ],
    [
      'from afar with a certificate of this machine',
      { ...put('yard', { url: 'rtsps://h/', tls: { ca: 'a.pem' } }), isRemote: true },
      'local-file',
    ],
  ];
  for (const [what, request, code, words] of refusals)
    it(`${what} is refused: ${code}`, async () => refused(newFile(), request, code, words));

  it('of an invalid file is refused and says so, unless it repairs the file', async () => {
    await refused(
      newFile('{"cameras": ['),
      remove('gate'),
      'invalid-configuration',
      /is not valid as it is .*line 1/,
    );
    await refused(newFile('{"cameras": {}}'), put('a', { test: 'testsrc2' }), 'invalid-configuration');
    const broken = newFile({ ...FILE, cameras: [...FILE.cameras, { id: 'bad', test: 'none' }] });
    await refused(broken, patch('test', { rate: 2 }), 'invalid-configuration', /cameras\[2\]\.test/);
    await edited(broken, remove('bad'));
    assert.equal(camerasOf(broken).length, 2);
    const file = newFile();
    writeFileSync(file, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
    await assert.rejects(edited(file, remove('gate')), /is not UTF-8 text/);
  });

  it('of a folder, of nothing and of a file that is read-only is refused', async () => {
    const folder = path.join(mkdtempSync(path.join(ROOT, 'd-')), 'actors.json');
    mkdirSync(folder);
    await refused(folder, remove('gate'), 'cannot-read', /is a folder/);
    await assert.rejects(edited(path.join(ROOT, 'none.json'), remove('gate')), { code: 'cannot-read' });
    const file = newFile();
    chmodSync(file, 0o444);
    await refused(file, remove('gate'), 'read-only', /read-only/);
  });

  it('keeps mode, byte order mark, line ends, and the link that leads to the file', async () => {
    const text = `\uFEFF${JSON.stringify(FILE, null, '\t').replaceAll('\n', '\r\n')}`;
    const file = newFile(text);
    chmodSync(file, 0o640);
    const link = path.join(mkdtempSync(path.join(ROOT, 'l-')), 'actors.json');
    symlinkSync(file, link);
    await edited(link, patch('test', { rate: 2 }));
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.equal(readFileSync(file, 'utf8'), text.replace('"testsrc2"', '"testsrc2",\r\n\t\t\t"rate": 2'));
  });

  it('is made by exactly one of several writers that know the same file', async () => {
    const file = newFile();
    const ifMatch = [etagOf(readFileSync(file))];
    const writers = Array.from({ length: 8 }, (_, i) =>
      edited(file, { ...put(`new${i}`, { test: 'testsrc2' }), ifMatch }),
    );
    const ends = await Promise.allSettled(writers);
    const codes = ends.flatMap((end) =>
      end.status === 'rejected' ? [(end.reason as { code: string }).code] : [],
    );
    assert.deepEqual(
      codes,
      Array.from({ length: 7 }, () => 'changed-meanwhile'),
    );
    assert.equal(camerasOf(file).length, 3);
    assert.deepEqual(readdirSync(path.dirname(file)), ['actors.json']);
  });

  it('loses against an editor that has written between its read and its write', async () => {
    const file = newFile();
    const before = readFileSync(file);
    writeFileSync(file, '{"cameras": []}');
    await assert.rejects(replaceUnchanged(file, before, Buffer.from('{}')), { code: 'changed-meanwhile' });
    assert.equal(readFileSync(file, 'utf8'), '{"cameras": []}');
  });

  it('waits for another writer, but not for one that was killed', async () => {
    const file = newFile();
    const lock = path.join(path.dirname(file), '.actors.json.lock');
    writeFileSync(lock, '');
    await assert.rejects(edited(file, remove('gate')), { code: 'busy' });
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(lock, longAgo, longAgo);
    await edited(file, remove('gate'));
    assert.deepEqual(readdirSync(path.dirname(file)), ['actors.json']);
  });
});
