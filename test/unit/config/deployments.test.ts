/** The configurations in what runs Vigil in containers are valid, with the variables that it sets. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parseTopology } from '../../../src/config/load';

const ROOT = path.resolve(__dirname, '../../..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const VARIABLES: Readonly<Record<string, string>> = {
  REDIS_PASSWORD: 'one',
  RABBITMQ_PASSWORD: 'two',
  VIGIL_NODE: 'north',
  VIGIL_TOKEN: 'three',
};
/** The text below `actors.json: |` in a manifest. */
const embedded = (manifest: string) => /^ {2}actors\.json: \|\n((?: {4}.*\n)+)/m.exec(manifest)?.[1] ?? '';

describe('a configuration in containers', () => {
  for (const [runners, file, text] of [
    [['compose.yaml'], 'docker/actors.json', read('docker/actors.json')],
    [['compose.yaml', 'compose.fleet.yaml'], 'docker/fleet/actors.json', read('docker/fleet/actors.json')],
    [['kubernetes/fleet.yaml'], 'kubernetes/fleet.yaml', embedded(read('kubernetes/fleet.yaml'))],
  ] as const)
    it(`(${file}) is valid, and has only variables that are set by ${runners.join(' and ')}`, () => {
      const { cameras, fleet } = parseTopology(text, file, VARIABLES);
      const runner = runners.map(read).join('');
      assert.ok(cameras.length > 0);
      assert.equal(fleet?.node, file === 'docker/actors.json' ? undefined : 'north');
      const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name);
      for (const name of names) assert.match(runner, new RegExp(`\\b${name}: |name: ${name}\\b`));
    });
});
