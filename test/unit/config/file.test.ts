/** actors.json as a file: this repository's, absent, a folder, changed. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import Ajv from 'ajv';
import { editorSchema } from '../../../src/config/editor-schema';
import { ConfigurationError } from '../../../src/config/faults';
import { loadTopology } from '../../../src/config/load';
import { thrownBy, GATE, ROOT } from './parsing';

describe('the file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'vigil-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('of this repository is valid, also for stricter editors', () => {
    const file = path.join(ROOT, 'actors.json');
    const { cameras } = loadTopology(file, {});
    assert.ok(cameras.length > 0);
    const validate = new Ajv({ allowUnionTypes: true }).compile(editorSchema() as object);
    assert.ok(validate(JSON.parse(readFileSync(file, 'utf8'))), JSON.stringify(validate.errors));
    assert.ok(!validate({}), 'cameras are required');
    assert.ok(!validate({ cameras: [{ test: 'testsrc2' }] }), 'ids are required');
  });

  it('that is missing is named', () => {
    const thrown = thrownBy(() => loadTopology(path.join(folder, 'none.json'), {}));
    assert.ok(thrown instanceof ConfigurationError);
    assert.deepEqual(thrown.faults, [
      { path: '$', problem: 'there is no such file; name the configuration with --config FILE' },
    ]);
  });

  it('that is a folder cannot be read', () => {
    const thrown = thrownBy(() => loadTopology(folder, {}));
    assert.ok(thrown instanceof ConfigurationError);
    assert.match(thrown.faults[0]?.problem ?? '', /^cannot be read \(EISDIR\)/);
  });

  it('is read again each time', () => {
    const file = path.join(folder, 'actors.json');
    writeFileSync(file, JSON.stringify({ cameras: [] }));
    assert.equal(loadTopology(file, {}).cameras.length, 0);
    writeFileSync(file, JSON.stringify({ cameras: [GATE] }));
    assert.equal(loadTopology(file, {}).cameras.length, 1);
  });
});
