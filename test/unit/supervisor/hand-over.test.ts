/** What root hands over to the user that its daemon becomes, and what it leaves alone. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { findAccount, whyNotBecome, type UserAccount } from '../../../src/os/user-account';
import { memoryFolderOf } from '../../../src/spool/memory-folder';
import { handOverData } from '../../../src/supervisor/hand-over';

const NOBODY: UserAccount = { name: 'nobody', uid: 65_534, gid: 65_534 };
const SOMEBODY = 1234;
const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'only root can give files away' };

describe('users of this machine', () => {
  it('are found by name', () => {
    assert.deepEqual(findAccount('root'), { name: 'root', uid: 0, gid: 0 });
    for (const name of ['no-such-user', '-u', '']) assert.equal(findAccount(name), undefined);
  });

  const versions: readonly [string, boolean][] = [
    ['20.9.0', false],
    ['20.11.0', false],
    ['20.11.1', true],
    ['21.6.1', false],
    ['22.0.0', true],
  ];
  for (const [version, is] of versions)
    it(
      `are ${is ? '' : 'not '}accepted with Node ${version}, whose io_uring ${is ? 'follows the user' : 'keeps the rights of root'}`,
      needsRoot,
      () => {
        const why = whyNotBecome(NOBODY, version);
        if (is) assert.equal(why, undefined);
        else assert.match(why ?? '', /CVE-2024-22017/);
      },
    );
});

describe('a data directory of root', needsRoot, () => {
  let dir: string;
  let data: string;
  const owner = (...parts: string[]) => lstatSync(path.join(data, ...parts)).uid;

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'vigil-hand-over-'));
    data = path.join(dir, 'data');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is made for that user if it is missing, with the folders above it', () => {
    data = path.join(dir, 'more', 'data');
    handOverData(data, NOBODY);
    assert.deepEqual([owner(), owner('..'), lstatSync(dir).uid], [NOBODY.uid, NOBODY.uid, 0]);
    assert.equal(lstatSync(data).mode & 0o777, 0o700);
  });

  it('is handed over with everything in it: links are, but not their targets', () => {
    mkdirSync(path.join(data, 'spool', 'gate'), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(data, 'spool', 'gate', 'frame'), '');
    writeFileSync(path.join(dir, 'shadow'), '');
    symlinkSync(path.join(dir, 'shadow'), path.join(data, 'ledger'));
    handOverData(data, NOBODY);
    for (const parts of [[], ['spool'], ['spool', 'gate'], ['spool', 'gate', 'frame'], ['ledger']])
      assert.equal(owner(...parts), NOBODY.uid, parts.join('/'));
    assert.equal(lstatSync(path.join(dir, 'shadow')).uid, 0);
  });

  it('is handed over if it is that of a node of a fleet, with notices and private servers', () => {
    const made = ['fleet-configuration.json', 'notices.json', 'http.json', '.endpoints.json.tmp'];
    for (const name of ['etcd', 'redis', 'replaced-configuration'])
      mkdirSync(path.join(data, name), { recursive: true, mode: 0o700 });
    for (const name of made) writeFileSync(path.join(data, name), '');
    handOverData(data, NOBODY);
    for (const name of ['etcd', 'redis', 'replaced-configuration', ...made])
      assert.equal(owner(name), NOBODY.uid, name);
  });

  it('is not entered if it belongs to another user, who could lead root anywhere', () => {
    mkdirSync(path.join(data, 'spool'), { recursive: true, mode: 0o700 });
    writeFileSync(path.join(data, 'spool', 'frame'), '');
    for (const foreign of [NOBODY.uid, SOMEBODY]) {
      chownSync(data, foreign, foreign);
      handOverData(data, NOBODY);
      assert.deepEqual([owner(), owner('spool'), owner('spool', 'frame')], [foreign, 0, 0]);
    }
    chownSync(data, 0, 0);
    lchownSync(path.join(data, 'spool'), SOMEBODY, SOMEBODY);
    handOverData(data, NOBODY);
    assert.deepEqual([owner(), owner('spool'), owner('spool', 'frame')], [NOBODY.uid, SOMEBODY, 0]);
  });

  it('is refused, and left unchanged, if it holds more than its data: /var/lib, by mistake', () => {
    mkdirSync(path.join(data, 'spool'), { recursive: true });
    mkdirSync(path.join(data, 'dpkg'));
    assert.throws(() => handOverData(data, NOBODY), {
      code: 'data-directory',
      message: /holds more than Vigil's data \(dpkg\)/,
    });
    assert.deepEqual([owner(), owner('spool'), owner('dpkg')], [0, 0, 0]);
  });

  for (const inside of ['.', 'spool'])
    it(`is refused if others may write to ${inside}`, () => {
      mkdirSync(path.join(data, 'spool'), { recursive: true, mode: 0o700 });
      chmodSync(path.join(data, inside), 0o777);
      assert.throws(() => handOverData(data, NOBODY), {
        code: 'data-directory',
        message: /others may write to it/,
      });
      assert.deepEqual([owner(), owner('spool')], [0, 0]);
    });

  it('includes frames that wait in memory, even if another user has made a folder of their new name', () => {
    const spool = path.join(data, 'spool');
    mkdirSync(spool, { recursive: true, mode: 0o700 });
    const [from = '', to = ''] = [memoryFolderOf(spool, 0), memoryFolderOf(spool, NOBODY.uid)];
    const folders = () =>
      readdirSync(path.dirname(to))
        .filter((name) => name.startsWith(path.basename(to)))
        .map((name) => path.join(path.dirname(to), name));
    try {
      for (const expected of [1, 2]) {
        mkdirSync(from, { mode: 0o700 });
        writeFileSync(path.join(from, 'gate.frame'), '');
        handOverData(data, NOBODY);
        assert.equal(existsSync(from), false);
        assert.equal(folders().length, expected);
      }
      for (const folder of folders())
        for (const file of [folder, path.join(folder, 'gate.frame')])
          assert.equal(lstatSync(file).uid, NOBODY.uid, file);
    } finally {
      for (const folder of [from, ...folders()]) rmSync(folder, { recursive: true, force: true });
    }
  });
});
