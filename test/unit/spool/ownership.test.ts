/** Whose a file or folder is, and who may change it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foreignness, OPEN_TO_OTHERS, WRITABLE_BY_OTHERS } from '../../../src/spool/ownership';

describe('the owner and the mode', () => {
  const found = (kind: 'file' | 'folder', uid: number, mode: number) => ({
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'folder',
    uid,
    mode,
  });
  const own = process.geteuid?.() ?? 0;
  const other = own + 1;

  for (const [what, stats, want, expected] of [
    ["one's own file", found('file', own, 0o100600), {}, undefined],
    ["one's own file for all to read", found('file', own, 0o100644), {}, undefined],
    ["root's file", found('file', 0, 0o100644), {}, undefined],
    ["another's file", found('file', other, 0o100600), {}, /^belongs to user \d+, not to \d+$/],
    ['a file that all may write', found('file', own, 0o100602), {}, /^is open to other users \(mode 602\)$/],
    ['a folder', found('folder', own, 0o40700), {}, /^is not a regular file$/],
    ["one's own folder", found('folder', own, 0o40700), { kind: 'folder', mode: OPEN_TO_OTHERS }, undefined],
    [
      'one that a group may read',
      found('folder', own, 0o40750),
      { kind: 'folder', mode: OPEN_TO_OTHERS },
      /750/,
    ],
    ['a file', found('file', own, 0o100600), { kind: 'folder' }, /^is not a folder$/],
    ["another's", found('folder', other, 0o40700), { kind: 'folder', root: false }, /^belongs to user/],
  ] as const)
    it(`of ${what}`, () => {
      const asked = { kind: 'file', mode: WRITABLE_BY_OTHERS, root: true, ...want } as const;
      const why = foreignness(stats, asked);
      if (expected === undefined) assert.equal(why, undefined);
      else assert.match(why ?? '', expected);
    });
});
