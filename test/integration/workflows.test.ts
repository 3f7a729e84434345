/** The workflows of .github are valid YAML, run existing scripts, and test every supported version of Node. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { check } from 'prettier';

const ROOT = path.resolve(__dirname, '../..');
const FOLDER = path.join(ROOT, '.github/workflows');
const NODE_VERSIONS = '[20, 22, 24, 26]';
const { scripts, engines } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  engines: { node: string };
};

for (const file of readdirSync(FOLDER)) {
  const text = readFileSync(path.join(FOLDER, file), 'utf8');

  it(`${file} parses as YAML`, async () => {
    assert.ok(await check(text, { parser: 'yaml' }));
    await assert.rejects(check(`${text}\n  - [`, { parser: 'yaml' }));
  });

  it(`${file} runs only scripts that package.json has`, () => {
    const named = [...text.matchAll(/npm (?:run )?([\w:]+)/g)].map(([, name = '']) => name);
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((name) => name !== 'ci' && !(name in scripts)),
      [],
    );
  });

  it(`${file} tests each version of Node in every job`, () => {
    assert.equal(engines.node, '>=20.9');
    const jobs = [...text.matchAll(/^ {4}runs-on:/gm)].length;
    assert.equal(text.split(`node: ${NODE_VERSIONS}`).length - 1, jobs);
  });
}
