/** The command line: what each word may be given, and where the daemon is looked for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HELP, readArguments, WORDS } from '../../src/commands/arguments';

const PACKAGE = '/opt/vigil';
const read = (...argv: string[]) => readArguments(argv, PACKAGE);

describe('the command line', () => {
  const rows: readonly [string[], Partial<ReturnType<typeof read>>][] = [
    [[], { word: 'daemon', config: '/opt/vigil/actors.json', dataDir: '/opt/vigil/data', json: false }],
    [['status', '--config', '/srv/a.json'], { word: 'status', dataDir: '/srv/data' }],
    [['status', '--json', '--data-dir', '/var/vigil'], { json: true, dataDir: '/var/vigil' }],
    [['plan', '--config', '/srv/a.json', '--json'], { word: 'plan', config: '/srv/a.json', json: true }],
    [['process', '--count', '3', '--out', '/tmp/x'], { word: 'process', count: 3, out: '/tmp/x' }],
    [['-h'], { help: true }],
    [['-v'], { version: true }],
  ];
  for (const [argv, expected] of rows)
    it(`"${argv.join(' ')}" is understood`, () => {
      const seen = read(...argv);
      assert.deepEqual({ ...seen, ...expected }, seen);
    });

  it('takes relative paths from where it is given', () => {
    const { config, dataDir } = read('--config', 'x/a.json', '--data-dir', 'y');
    assert.deepEqual([config, dataDir], [`${process.cwd()}/x/a.json`, `${process.cwd()}/y`]);
  });

  const wrong: readonly [string[], RegExp][] = [
    [['state'], /^there is no word "state"; see --help$/],
    [['status', 'now', 'please'], /^"now please" is too much/],
    [['--json'], /^--json belongs to the words "status", "plan" and "ledger"/],
    [['check', '--json'], /^--json belongs/],
    [['process', '--json'], /^--json belongs/],
    [['status', '--count', '1'], /^--out and --count belong to the word "process"/],
    [['process', '--count', '0'], /^--count expects a whole number above 0/],
    [['process', '--count', '1.5'], /^--count expects/],
    [['status', '--data-dir'], /--data-dir.*see --help$/s],
    [['--jsn'], /--jsn.*see --help$/s],
  ];
  for (const [argv, sentence] of wrong)
    it(`"${argv.join(' ')}" is refused in a sentence`, () => {
      assert.throws(() => read(...argv), { code: 'usage', message: sentence });
    });

  it('has every word in its help', () => {
    for (const word of WORDS.filter((each) => each !== 'daemon'))
      assert.match(HELP, new RegExp(`^  ${word} `, 'm'));
  });
});
