/** A file that is watched: every way of writing it is seen, once, when it is whole. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { watchContent, type FileContent } from '../../../src/config/watch';
import { waitUntil } from '../../../lab/process';

function textOf(content: FileContent): string {
  return 'text' in content ? content.text : String(content.error.code);
}

function watched(t: TestContext) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-watch-'));
  const file = path.join(dir, 'actors.json');
  writeFileSync(file, 'known');
  const seen: string[] = [];
  const stopping = new AbortController();
  const done = watchContent(
    file,
    (content) => textOf(content) === (seen.at(-1) ?? 'known'),
    async (content) => {
      seen.push(textOf(content));
    },
    stopping.signal,
  );
  t.after(async () => {
    stopping.abort();
    await done;
    rmSync(dir, { recursive: true });
  });
  return {
    dir,
    file,
    seen,
    sees: (...texts: string[]) =>
      waitUntil(`${texts.join()} is seen`, () => seen.join() === texts.join(), 5000),
  };
}

describe('a watched file', { concurrency: true }, () => {
  it('that is written in place is seen', async (t) => {
    const { file, sees } = watched(t);
    writeFileSync(file, 'new');
    await sees('new');
  });

  it('that is replaced by rename is seen, each time', async (t) => {
    const { dir, file, sees } = watched(t);
    const texts = ['one', 'two', 'three'];
    for (const [i, text] of texts.entries()) {
      writeFileSync(path.join(dir, 'new'), text);
      renameSync(path.join(dir, 'new'), file);
      await sees(...texts.slice(0, i + 1));
    }
  });

  it('that is a link is seen when its target changes', async (t) => {
    const { dir, file, sees } = watched(t);
    for (const name of ['a', 'b']) writeFileSync(path.join(dir, name), name);
    unlinkSync(file);
    symlinkSync('a', file);
    await sees('a');
    symlinkSync('b', path.join(dir, 'turned'));
    renameSync(path.join(dir, 'turned'), file);
    await sees('a', 'b');
  });

  it('that disappears is seen, and seen again when it is back', async (t) => {
    const { file, sees } = watched(t);
    unlinkSync(file);
    await sees('ENOENT');
    writeFileSync(file, 'back');
    await sees('ENOENT', 'back');
  });

  it('that is written during a check is seen only once it is stable', async (t) => {
    const { file, seen, sees } = watched(t);
    for (let i = 0; i < 100; i++) {
      writeFileSync(file, `part ${i}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    writeFileSync(file, 'whole');
    await waitUntil('the whole is seen', () => seen.at(-1) === 'whole', 5000);
    assert.ok(seen.length <= 2, seen.join());
    await sees(...seen);
  });

  it('that is written again unchanged is not seen', async (t) => {
    const { file, dir, seen, sees } = watched(t);
    for (let i = 0; i < 3; i++) {
      writeFileSync(file, 'known');
      writeFileSync(path.join(dir, 'same'), 'known');
      renameSync(path.join(dir, 'same'), file);
      // This watch began later and checks as often: when it has seen the file settle, so has the other.
      await settled(file, 'known');
      assert.deepEqual(seen, []);
    }
    writeFileSync(file, 'other');
    await sees('other');
  });
});

/** Waits until another watch, to which any content is new, has seen this one. */
async function settled(file: string, text: string): Promise<void> {
  const stopping = new AbortController();
  let found: unknown;
  const done = watchContent(
    file,
    () => false,
    async (content) => {
      found = content;
    },
    stopping.signal,
  );
  await waitUntil(`${text} has settled`, () => found !== undefined, 5000);
  stopping.abort();
  await done;
  assert.deepEqual(found, { text });
}
