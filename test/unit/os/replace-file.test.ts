import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { OWNER_ONLY, replaceFile, replaceFileSync, type ReplaceOptions } from '../../../src/os/replace-file';

const WAYS = {
  replaceFile,
  replaceFileSync: async (file: string, content: string | Buffer, options?: ReplaceOptions) =>
    replaceFileSync(file, content, options),
};

function folder(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-replace-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

for (const [name, replace] of Object.entries(WAYS))
  describe(name, () => {
    it('writes text and bytes, and leaves no temporary file', async (t) => {
      const dir = folder(t);
      await replace(path.join(dir, 'a'), 'grün');
      await replace(path.join(dir, 'a'), Buffer.from([0xff, 0]));
      assert.deepEqual([...readFileSync(path.join(dir, 'a'))], [0xff, 0]);
      assert.deepEqual(readdirSync(dir), ['a']);
    });

    it('gives a new file, and one that replaces another, the mode asked for', async (t) => {
      const dir = folder(t);
      const file = path.join(dir, 'a');
      writeFileSync(path.join(dir, 'plain'), '');
      await replace(file, 'open');
      assert.equal(statSync(file).mode, statSync(path.join(dir, 'plain')).mode);
      await replace(file, 'private', OWNER_ONLY);
      assert.equal(statSync(file).mode & 0o777, 0o600);
    });

    it('leaves the open file of a reader as it was', async (t) => {
      const file = path.join(folder(t), 'a');
      writeFileSync(file, 'old');
      const before = statSync(file).ino;
      await replace(file, 'new');
      assert.notEqual(statSync(file).ino, before);
      assert.equal(readFileSync(file, 'utf8'), 'new');
    });

    it('keeps what is there and removes the temporary file when it fails', async (t) => {
      const dir = folder(t);
      mkdirSync(path.join(dir, 'a', 'below'), { recursive: true });
      await assert.rejects(replace(path.join(dir, 'a'), 'text'), { code: 'EISDIR' });
      assert.deepEqual(readdirSync(dir), ['a']);
      assert.deepEqual(readdirSync(path.join(dir, 'a')), ['below']);
    });

    it('does not touch the temporary file of another writer', async (t) => {
      const dir = folder(t);
      writeFileSync(path.join(dir, '.a.1.tmp'), 'being written');
      await replace(path.join(dir, 'a'), 'text', { writer: 2 });
      assert.deepEqual(readdirSync(dir).sort(), ['.a.1.tmp', 'a']);
      assert.equal(readFileSync(path.join(dir, '.a.1.tmp'), 'utf8'), 'being written');
    });
  });
