/** The command line: what is understood, what is refused and in which sentence, and the help of each command. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCommandLine } from '../../../src/commands/declared/command-line';
import { durationMs, placesOf } from '../../../src/commands/options';

const read = (...argv: string[]) => readCommandLine(argv, '/opt/vigil', () => '1.2.3');
const textOf = (...argv: string[]) => {
  const asked = read(...argv);
  return asked.kind === 'text' ? asked.text : assert.fail(`${argv.join(' ')} runs ${asked.command}`);
};
const COMMANDS = [
  'daemon',
  'check',
  'status',
  'plan',
  'drain',
  'ledger',
  'camera',
  'apply',
  'probe',
  'snapshot',
  'process',
];

describe('the command line', () => {
  const rows: readonly [argv: string[], command: string, serves: boolean][] = [
    [[], 'daemon', true],
    [['daemon'], 'daemon', true],
    [['--force', '--data-dir', '/var/vigil'], 'daemon', true],
    [['--data-dir', 'status'], 'daemon', true],
    [['--data-dir=status'], 'daemon', true],
    [['status'], 'status', false],
    [['status', 'camera:gate', '--json'], 'status', false],
    [['status', 'gate', '--watch'], 'status', false],
    [['--json', '--data-dir', '/var/vigil', 'status'], 'status', false],
    [['check', '--data-dir', '/var/vigil'], 'check', false],
    [['plan', '--json'], 'plan', false],
    [['logs'], 'logs', false],
    [['logs', 'gate', '-f', '-n', '20', '--json'], 'logs', false],
    [['-n', '20', 'logs'], 'logs', false],
    [['drain'], 'drain', false],
    [['ledger', '--camera', 'gate', '--since', '90s'], 'ledger', false],
    [['camera', 'list'], 'camera', false],
    [['camera', 'add', 'gate', 'url=rtsp://h/?a=b', 'rate=2', '--plan'], 'camera', false],
    [['camera', '--stdin', 'set', 'gate'], 'camera', false],
    [['camera', 'remove', 'gate', '--if-match', '"1"'], 'camera', false],
    [['apply', '--plan'], 'apply', false],
    [['snapshot', 'gate'], 'snapshot', false],
    [['snapshot', 'gate', '/tmp/a.JPEG', '--json'], 'snapshot', false],
    [['--data-dir', '/var/vigil', 'snapshot', 'gate', '-'], 'snapshot', false],
    [['process', '--count', '3', '--out', '/tmp/x', '--latest'], 'process', true],
    [['probe', 'rtsp://cam/a', '--seconds', '3600'], 'probe', false],
    [['probe', '--still', 'http://cam/a.jpg'], 'probe', false],
    [['probe', '--camera', 'gate', '--save', '/tmp/a.png'], 'probe', false],
  ];
  for (const [argv, command, serves] of rows)
    it(`"${argv.join(' ')}" runs ${command}`, () => {
      const asked = read(...argv);
      assert.ok(asked.kind === 'run');
      assert.deepEqual([asked.command, asked.serves], [command, serves]);
    });

  const wrong: readonly [string[], string][] = [
    [['statsu'], 'unknown command "statsu"; did you mean "status"? See --help'],
    [['--data-dir', '/x', 'deamon'], 'unknown command "deamon"; did you mean "daemon"? See --help'],
    [['frobnicate'], 'unknown command "frobnicate"; see --help'],
    [['help', 'statsu'], 'unknown command "statsu"; did you mean "status"? See --help'],
    [['status', 'store', 'please'], 'unexpected argument "please"; see status --help'],
    [['daemon', 'now'], 'unexpected argument "now"; see daemon --help'],
    [
      ['--json'],
      '--json is an option of "check", "status", "plan", "drain", "ledger", "logs", "camera", "apply", "probe", "snapshot", and "process", not of "daemon"; see daemon --help',
    ],
    [['status', '--force'], '--force is an option of "daemon", not of "status"; see status --help'],
    [['status', '--jsno'], 'unknown option "--jsno"; did you mean "--json"? See status --help'],
    [['--frob'], 'unknown option "--frob"; see daemon --help'],
    [['status', '--data-dir'], '--data-dir needs a value; see status --help'],
    [['process', '--count', '0'], '--count expects a whole number above 0, found "0"; see process --help'],
    [
      ['process', '--count', '1.5'],
      '--count expects a whole number above 0, found "1.5"; see process --help',
    ],
    [
      ['ledger', '--since', '3y'],
      '--since expects a time such as 90s, 30m, 24h or 7d, found "3y"; see ledger --help',
    ],
    [['probe'], '"probe" expects the URL of a feed, or --camera ID, and not both; see probe --help'],
    [
      ['probe', 'rtsp://cam/a', '--camera', 'gate'],
      '"probe" expects the URL of a feed, or --camera ID, and not both; see probe --help',
    ],
    [
      ['status', '--watch', '--json'],
      '--watch shows text; leave out --json, or repeat the command; see status --help',
    ],
    [['camera'], "missing required argument 'action'; see camera --help"],
    [
      ['camera', 'frob'],
      '"camera" expects list, add, set, remove or restart, found "frob"; see camera --help',
    ],
    [['camera', 'add'], '"camera add" needs the id of a camera; see camera --help'],
    [
      ['camera', 'set', 'gate'],
      '"camera set" expects settings, such as rate=2, or --stdin; see camera --help',
    ],
    [['camera', 'set', 'gate', 'rate'], '"camera set" expects name=value, found "rate"; see camera --help'],
    [['camera', 'remove', 'gate', 'rate=2'], '"camera remove" expects no settings; see camera --help'],
    [['camera', 'list', 'gate'], '"camera list" expects no id; see camera --help'],
    [['snapshot'], "missing required argument 'camera'; see snapshot --help"],
    [
      ['snapshot', 'gate', 'gate.png'],
      '"snapshot" expects a name that ends with .jpg, or -, found "gate.png"; see snapshot --help',
    ],
    [
      ['snapshot', 'gate', '-', '--json'],
      '--json needs a file: standard output cannot take both it and the picture; see snapshot --help',
    ],
    [['probe', '--camera', 'gate', '--still'], '--still needs a URL; see probe --help'],
    [
      ['probe', 'rtsp://cam/a', '--seconds', '3601'],
      '--seconds expects at most 3600, found "3601"; see probe --help',
    ],
    [
      ['probe', 'rtsp://cam/a', '--seconds', '1e300'],
      '--seconds expects at most 3600, found "1e300"; see probe --help',
    ],
  ];
  for (const [argv, message] of wrong)
    it(`"${argv.join(' ')}" is refused in one sentence`, () =>
      assert.throws(() => read(...argv), { code: 'usage', message }));

  it('has help for each command, in every way it can be requested', () => {
    for (const command of COMMANDS) {
      const help = textOf('help', command);
      assert.match(help, new RegExp(`^Usage: node dist/main\\.js ${command} `));
      for (const argv of [
        [command, '--help'],
        ['--help', command],
        [command, '-h'],
      ])
        assert.equal(textOf(...argv), help);
    }
    assert.match(textOf('help', 'probe'), /--seconds/);
    assert.doesNotMatch(textOf('help', 'status'), /--seconds/);
  });

  it('lists every command and every exit code in its general help', () => {
    for (const argv of [['--help'], ['-h'], ['help'], ['--config', '/nonexistent', '--help']]) {
      const help = textOf(...argv);
      for (const command of COMMANDS) assert.match(help, new RegExp(`^  ${command} `, 'm'));
      for (const code of [0, 1, 2, 3, 69, 70, 78]) assert.match(help, new RegExp(`^  ${code} `, 'm'));
    }
  });

  it('prints its version', () => {
    for (const option of ['--version', '-v']) assert.equal(textOf(option), '1.2.3\n');
  });
});

describe('where a command looks', () => {
  it('is the package, or the given place relative to the current folder', () => {
    assert.deepEqual(placesOf({}, '/opt/vigil'), {
      config: '/opt/vigil/actors.json',
      dataDir: '/opt/vigil/data',
    });
    assert.deepEqual(placesOf({ dataDir: 'y' }, '/opt/vigil').dataDir, `${process.cwd()}/y`);
    assert.deepEqual(placesOf({ config: __filename }, '/opt/vigil'), {
      config: __filename,
      dataDir: `${__dirname}/data`,
    });
  });

  it('is refused by name if the configuration does not exist', () =>
    assert.throws(() => placesOf({ config: '/nonexistent/a.json' }, '/opt/vigil'), {
      code: 'no-configuration',
      message: '--config /nonexistent/a.json: there is no such file',
    }));
});

describe('a time', () => {
  for (const [text, ms] of [
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ] as const)
    it(`of ${text} is ${ms} ms`, () => assert.equal(durationMs(text), ms));
});
