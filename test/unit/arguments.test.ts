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
    [['probe', 'rtsp://cam/a'], { word: 'probe', url: 'rtsp://cam/a', seconds: 15 }],
    [['probe', '--camera', 'gate', '--save', '/tmp/a.png'], { camera: 'gate', save: '/tmp/a.png' }],
    [['probe', '--seconds', '40', '--json', 'rtsp://cam/a'], { seconds: 40, json: true }],
    [['probe', '--seconds', '3600', 'rtsp://cam/a'], { seconds: 3600 }],
    [['--force', '--data-dir', '/var/vigil'], { word: 'daemon', force: true }],
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
    [['--json'], /^--json belongs to the words "status", "plan", "ledger" and "probe"/],
    [['status', '--force'], /^--force belongs to the daemon/],
    [['check', '--json'], /^--json belongs/],
    [['process', '--json'], /^--json belongs/],
    [['status', '--latest'], /^--latest belongs to the word "process"/],
    [['status', '--count', '1'], /^--out and --count belong to the word "process"/],
    [['process', '--count', '0'], /^--count expects a whole number above 0/],
    [['process', '--count', '1.5'], /^--count expects/],
    [['probe'], /^"probe" expects the URL of a feed, or --camera ID, and not both/],
    [['probe', 'rtsp://cam/a', '--camera', 'gate'], /and not both/],
    [['probe', 'rtsp://cam/a', 'more'], /^"more" is too much/],
    [['probe', 'rtsp://cam/a', '--seconds', '0'], /^--seconds expects a whole number above 0/],
    [
      ['probe', 'rtsp://cam/a', '--seconds', '3601'],
      /^--seconds expects at most 3600, found 3601; see --help$/,
    ],
    [['probe', 'rtsp://cam/a', '--seconds', '1e300'], /^--seconds expects at most 3600/],
    [['status', '--save', 'a.jpg'], /^--save and --seconds belong to the word "probe"/],
    [['status', '--camera', 'gate'], /^--camera belongs to the words "ledger" and "probe"/],
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
