/** The linter refuses forbidden imports: one violation of each kind, with the current configuration. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { ESLint } from 'eslint';

const ROOT = path.resolve(__dirname, '../..');
const CHECKED = /^(import-x\/no-restricted-paths|no-restricted-(imports|syntax))$/;

const ORDER = /imports only rooms before it/;
const ACTORS = /No actor imports another/;
const KIT = /consumer kit stands alone/;
const COMEDY = /Only src\/comedy imports comedy/;
const UNIT = /unit test starts no program/;
const STARTING = /Only src\/os\/child-process\.ts starts programs/;

describe('the linter refuses', () => {
  let eslint: ESLint;

  before(() => {
    eslint = new ESLint({
      cwd: ROOT,
      ruleFilter: ({ ruleId }) => CHECKED.test(ruleId),
      // None of these rules needs type information, which takes seconds to load.
      overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
    });
  });

  /** The messages of the linter for `text` as the content of `file`. */
  async function said(file: string, text: string): Promise<string[]> {
    const [result] = await eslint.lintText(text, { filePath: path.join(ROOT, file) });
    assert.ok(result !== undefined);
    return result.messages.map(({ message }) => message);
  }

  const refused: readonly [string, string, string, RegExp][] = [
    ['a leaf that imports a room above', 'src/clock/sleep.ts', `import '../log/log';`, ORDER],
    [
      'only a type of it, too',
      'src/log/log.ts',
      `import type { Topology } from '../config/topology';`,
      ORDER,
    ],
    ['an import while running', 'src/os/access.ts', `await import('../config/load');`, ORDER],
    ['a room that imports the main module', 'src/control/client.ts', `import '../main';`, ORDER],
    [
      'a room that imports one that contains it',
      'src/actors/camera/http/client.ts',
      `import '../actor';`,
      ORDER,
    ],
    ['a room that imports one below it', 'src/commands/check.ts', `import './declared/command-line';`, ORDER],
    [
      'the supervisor that imports the command line',
      'src/supervisor/plan.ts',
      `import '../commands/table';`,
      ORDER,
    ],
    [
      'a later actor that imports an earlier one',
      'src/actors/store/actor.ts',
      `import '../camera/actor';`,
      ACTORS,
    ],
    [
      'an actor that imports a room of another',
      'src/actors/notifier/actor.ts',
      `import '../camera/http/client';`,
      ACTORS,
    ],
    [
      'a room of one actor that imports another',
      'src/actors/camera/http/client.ts',
      `import '../../store/outbox';`,
      ACTORS,
    ],
    [
      'a supervisor that imports an actor',
      'src/supervisor/plan.ts',
      `import '../actors/store/actor';`,
      /names actors by path/,
    ],
    ['a kit that imports the supervisor', 'src/consumer/turns.ts', `import '../supervisor/plan';`, ORDER],
    ['a kit that imports an actor', 'src/consumer/turns.ts', `import '../actors/store/actor';`, ORDER],
    ['a kit that imports a command', 'src/consumer/turns.ts', `import '../commands/table';`, ORDER],
    ['an actor that imports the kit', 'src/actors/store/actor.ts', `import '../../consumer/turns';`, KIT],
    ['comedy outside its room', 'src/supervisor/plan.ts', `import { createSystem } from 'comedy';`, COMEDY],
    [
      'a file of comedy outside its room',
      'src/actors/camera/actor.ts',
      `import 'comedy/lib/system.js';`,
      COMEDY,
    ],
    ['comedy while running', 'src/main.ts', `await import('comedy/lib/system.js');`, COMEDY],
    ['comedy in a test', 'test/unit/comedy/batch.test.ts', `import 'comedy';`, COMEDY],
    [
      'a program started elsewhere',
      'src/embedded/redis.ts',
      `import { spawn } from 'node:child_process';`,
      STARTING,
    ],
    ['the same without "node:"', 'src/embedded/redis.ts', `import { fork } from 'child_process';`, STARTING],
    [
      'the same by the whole module',
      'src/embedded/redis.ts',
      `import childProcess from 'node:child_process';`,
      STARTING,
    ],
    [
      'a unit test that starts a program',
      'test/unit/os/orphans.test.ts',
      `import { spawnSync } from 'node:child_process';`,
      UNIT,
    ],
    ['the same while running', 'src/embedded/redis.ts', `await import('node:child_process');`, STARTING],
    [
      'the same in the room of comedy',
      'src/comedy/batch.ts',
      `import { fork } from 'node:child_process';`,
      STARTING,
    ],
  ];
  for (const [what, file, text, expected] of refused)
    it(what, async () => {
      const messages = await said(file, text);
      assert.ok(
        messages.some((message) => expected.test(message)),
        `${file}: ${text}: ${messages.join('; ') || 'nothing was said'}`,
      );
    });

  const fine: readonly [string, string][] = [
    ['src/log/log.ts', `import '../url/redact';`],
    ['src/actors/camera/http/client.ts', `import './redirect'; import '../bitstream/codec';`],
    ['src/commands/declared/command-line.ts', `import '../table';`],
    ['src/comedy/host.ts', `import 'comedy'; import 'comedy/lib/system.js'; import './batch';`],
    ['src/supervisor/plan.ts', `import '../comedy/host';`],
    ['src/os/account.ts', `import { spawnSync } from 'node:child_process';`],
  ];
  for (const [file, text] of fine)
    it(`no violation in ${text} in ${file}`, async () => {
      assert.deepEqual(await said(file, text), []);
    });
});
