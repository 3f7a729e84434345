/** Data directories that other local users have made or may write to. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DataDirectory } from '../../src/supervisor/data-directory';

const NOBODY = 65_534;
const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'only root can make files of other users' };

describe('a data directory in a folder where everyone may create one', () => {
  let shared: string;
  beforeEach(async () => {
    shared = await mkdtemp(path.join(tmpdir(), 'vigil-shared-'));
    chmodSync(shared, 0o1777);
  });
  afterEach(async () => {
    await rm(shared, { recursive: true });
  });
  const open = async (dir: string) => DataDirectory.open(dir, () => undefined);

  it('is used if the daemon made it, and is not open to others', async () => {
    const data = await open(path.join(shared, 'data'));
    assert.equal(data.isOpenToOthers, false);
    data.close();
  });

  for (const [what, below] of [
    ['it', 'data'],
    ['the folder it is in', 'data/of/mine'],
  ] as const)
    it(`is refused if another user has made ${what}`, needsRoot, async () => {
      mkdirSync(path.join(shared, 'data'));
      chownSync(path.join(shared, 'data'), NOBODY, NOBODY);
      const dir = path.join(shared, below);
      await assert.rejects(open(dir), {
        code: 'data-directory',
        message: `data directory ${dir}: ${path.join(shared, 'data')} belongs to user 65534, and everybody may make such a folder in ${shared}; give this daemon another --data-dir`,
      });
      assert.ok(!existsSync(path.join(dir, 'vigil.lock')));
    });

  it("is refused if it is another user's link to a folder of the daemon's user", needsRoot, async () => {
    mkdirSync(path.join(shared, 'own'), { mode: 0o700 });
    await symlink(path.join(shared, 'own'), path.join(shared, 'data'));
    lchownSync(path.join(shared, 'data'), NOBODY, NOBODY);
    await assert.rejects(open(path.join(shared, 'data')), { code: 'data-directory' });
  });

  it('is reported if it is open to others', async () => {
    mkdirSync(path.join(shared, 'data'));
    chmodSync(path.join(shared, 'data'), 0o777);
    const data = await open(path.join(shared, 'data'));
    assert.equal(data.isOpenToOthers, true);
    data.close();
  });
});
