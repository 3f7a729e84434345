/** Completion in a real bash: commands, options, and the ids and tags of the configuration. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { MAIN } from '../../lab/daemon';
import { run } from '../../lab/process';

describe('completion', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vigil-completion-'));
  after(() => rmSync(dir, { recursive: true }));
  const config = path.join(dir, 'actors.json');
  const cameras = [
    { id: 'gate', url: '${UNSET}', tags: ['north'] },
    { id: 'garage', test: 'testsrc2' },
    { id: '$(touch no)', tags: ['`x`'] },
  ];
  writeFileSync(config, JSON.stringify({ cameras }));

  /** The completions that bash offers for the last of these arguments. */
  async function offered(...words: string[]): Promise<string[]> {
    const script = [
      'vigil() { "$NODE" "$MAIN" "$@"; }',
      'source <(vigil completion bash)',
      'COMP_WORDS=(vigil "$@") COMP_CWORD=$#',
      '_vigil',
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const variables = [`NODE=${process.execPath}`, `MAIN=${MAIN}`];
    const { stdout, stderr, code } = await run('env', [...variables, 'bash', '-c', script, 'bash', ...words]);
    assert.deepEqual([code, stderr], [0, '']);
    return stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  }

  const rows: readonly [string, readonly string[], readonly string[]][] = [
    ['commands', ['sta'], ['status']],
    ['options of a command', ['ledger', '--s'], ['--since']],
    ['options of no other command', ['check', '--s'], []],
    [
      'cameras of the configuration, whatever else is wrong with it',
      ['snapshot', '--config', config, 'ga'],
      ['gate', 'garage'],
    ],
    ['cameras as the value of an option', ['probe', '--config', config, '--camera', 'gat'], ['gate']],
    ['cameras for a log', ['logs', '--config', config, 'gar'], ['garage']],
    ['options of logs', ['logs', '--f'], ['--follow']],
    ['tags as the value of an option', ['status', '--config', config, '--tag', ''], ['north']],
    ['a command behind an option', ['--config', config, 'led'], ['ledger']],
    ['no command where a value is typed', ['ledger', '--since', 'st'], []],
    ['shells', ['completion', 'z'], ['zsh']],
    ['no cameras of a configuration that is not there', ['snapshot', '--config', '/nowhere', 'ga'], []],
    ['nothing of an id that is none', ['snapshot', '--config', config, '$'], []],
  ];
  for (const [what, words, expected] of rows)
    test(`offers ${what}`, async () => assert.deepEqual(await offered(...words), expected));

  test('contains each command and each option in the scripts of all shells', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout, code } = await run(process.execPath, [MAIN, 'completion', shell]);
      assert.equal(code, 0);
      for (const word of ['status', 'ledger', 'completion', 'data-dir', 'since', 'latest', 'json'])
        assert.ok(stdout.includes(word), `${shell}: ${word}`);
    }
  });

  test('is refused for an unknown shell, with the names of the known ones', async () => {
    const { code, stderr } = await run(process.execPath, [MAIN, 'completion', 'tcsh']);
    assert.equal(code, 2);
    assert.match(stderr, /bash, zsh, fish/);
  });
});
