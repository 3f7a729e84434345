/** Mistakes in commands, configuration and servers: one clear sentence, a documented exit code, and no other effect. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { MAIN, newDir, startDaemon } from '../../lab/daemon';
import { remoteServers } from '../../lab/events';
import { vigil } from '../../lab/command';

const demo = { id: 'demo', test: 'testsrc2' };
/** Servers that need not run: the configuration is refused before they are contacted. */
const nowhere = { redis: 'redis://127.0.0.1:1', rabbitmq: 'amqp://127.0.0.1:1' };

describe('the command line', () => {
  const cases: [string, string[], number, RegExp][] = [
    [
      'an unknown command',
      ['statsu'],
      2,
      /^vigil: unknown command "statsu"; did you mean "status"\? See --help\n$/,
    ],
    ['an unknown option', ['--frob'], 2, /^vigil: unknown option "--frob"; see daemon --help\n$/],
    [
      'a count that is not a number',
      ['process', '--count', 'x'],
      2,
      /--count expects a whole number above 0, found "x"/,
    ],
    ['an option of another command', ['--out', 'x'], 2, /--out is an option of "process", not of "daemon"/],
    ...['daemon', 'check', 'plan', 'status', 'ledger', 'process'].map(
      (command): [string, string[], number, RegExp] => [
        `for ${command}, a configuration that is not there`,
        [command, '--config', '/nonexistent/a.json'],
        78,
        /^vigil: --config \/nonexistent\/a\.json: there is no such file\n$/,
      ],
    ),
  ];
  for (const [what, args, code, sentence] of cases)
    test(`${what} is reported in one sentence, exit ${code}`, () => {
      const { status, stderr } = vigil(args);
      assert.match(stderr, sentence);
      assert.equal(status, code);
      assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
    });

  for (const args of [['check'], ['--help'], ['--version']])
    test(`${args.join()} onto a full disk prints one sentence and fails`, () => {
      const dir = newDir();
      const file = path.join(dir, 'actors.json');
      writeFileSync(file, JSON.stringify({ ...nowhere, cameras: [demo] }));
      const full = openSync('/dev/full', 'w');
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args, '--config', file], {
        encoding: 'utf8',
        stdio: ['ignore', full, 'pipe'],
      });
      closeSync(full);
      assert.equal(stderr, 'vigil: standard output cannot be written: the disk is full (ENOSPC)\n');
      assert.equal(status, 69);
    });

  test('--help and --version need no configuration', () => {
    assert.match(vigil(['--help', '--config', '/nonexistent']).stdout, /Usage: node dist\/main\.js/);
    assert.match(vigil(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('a configuration that is not valid', () => {
  const cases: [string, unknown, RegExp][] = [
    ['invalid JSON', '{ "cameras": [}', /\$: is not JSON: expected a value at line 1, column 15/],
    [
      'an unknown key',
      { cameras: [{ ...demo, rtae: 1 }] },
      /\$\.cameras\[0\]\.rtae: unknown key; did you mean "rate"\?/,
    ],
    [
      'a wrong type',
      { cameras: [{ ...demo, rate: 'fast' }] },
      /\$\.cameras\[0\]\.rate: expected number, found "fast"/,
    ],
    [
      'a duplicate id',
      { cameras: [demo, demo] },
      /\$\.cameras\[1\]\.id: "demo" is already the id of \$\.cameras\[0\]/,
    ],
    ['an illegal id', { cameras: [{ ...demo, id: '../etc' }] }, /\$\.cameras\[0\]\.id: found "\.\.\/etc"/],
    [
      'an unset variable',
      { cameras: [{ ...demo, id: '${NO_SUCH}' }] },
      /\$\.cameras\[0\]\.id: the environment variable NO_SUCH is not set/,
    ],
    [
      'a file where a stream is expected',
      { cameras: [{ id: 'a', url: 'file:///etc/passwd' }] },
      /\$\.cameras\[0\]\.url: .*found file:; a local video goes into "file"/,
    ],
    [
      'a URL of another protocol',
      { ...nowhere, redis: 'http://x', cameras: [] },
      /\$\.redis: expected a URL that begins with redis:\/\/, rediss:\/\/, .*found http:/,
    ],
  ];
  for (const [what, config, sentence] of cases)
    for (const command of [[], ['check']])
      test(`${what} is named with its path, exit 78 (${command[0] ?? 'daemon'})`, () => {
        const dir = newDir();
        const file = path.join(dir, 'actors.json');
        writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
        const { status, stderr } = vigil([...command, '--config', file]);
        assert.match(stderr, sentence);
        assert.equal(status, 78);
        assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
      });

  test('all faults are listed at once', () => {
    const dir = newDir();
    const file = path.join(dir, 'actors.json');
    writeFileSync(file, JSON.stringify({ nmespace: 'x', cameras: [{ id: '!', rate: 99 }] }));
    const { stderr } = vigil(['check', '--config', file]);
    for (const place of [/\$\.nmespace/, /\$\.cameras\[0\]\.id/, /\$\.cameras\[0\]\.rate/])
      assert.match(stderr, place);
  });

  test('a valid one is confirmed by check, which starts nothing', () => {
    const dir = newDir();
    const file = path.join(dir, 'actors.json');
    writeFileSync(
      file,
      JSON.stringify({ ...nowhere, rabbitmq: 'amqp://user:secret@127.0.0.1:1', cameras: [demo] }),
    );
    const { status, stdout } = vigil(['check', '--config', file]);
    assert.equal(status, 0);
    assert.match(stdout, /is valid\.\ncameras: demo\n/);
    for (const what of [/redis memory +\d+ MB/, /spool +.*\d+ s/, /processes +6: 5 node/, /descriptors +\d+/])
      assert.match(stdout, what);
    assert.doesNotMatch(stdout, /secret/);
    assert.throws(() => statSync(path.join(dir, 'data')));
  });
});

describe('servers that are missing or refuse', () => {
  test('unreachable servers are reported once and waited for, while frames wait in the spool', async () => {
    const daemon = startDaemon({ config: { ...nowhere, cameras: [demo] } });
    await daemon.said(
      /^redis at redis:\/\/127\.0\.0\.1:1 refuses connections \(ECONNREFUSED\); .*; frames wait in the spool/,
    );
    await daemon.said(/^rabbitmq at amqp:\/\/127\.0\.0\.1:1 refuses connections/);
    assert.equal(
      daemon.log.filter(({ message }) => /^rabbitmq .* refuses connections/.test(message)).length,
      1,
    );
    assert.ok(!daemon.log.some(({ message }) => message.startsWith('ready')));
    assert.equal(await daemon.stop(), 0);
  });

  test('wrong passwords are named as such, without the password', async () => {
    const { redis, rabbitmq } = remoteServers();
    const wrong = (url: string) => url.replace(/:[^:@/]+@/, ':Wr0ngSecret@');
    const daemon = startDaemon({ config: { redis: wrong(redis), rabbitmq: wrong(rabbitmq), cameras: [] } });
    await daemon.said(/^redis at redis:\/\/127\.0\.0\.1:\d+\S* refused the user name or password/);
    await daemon.said(/^rabbitmq at amqp:\/\/127\.0\.0\.1:\d+\S* refused the user name or password/);
    assert.doesNotMatch(daemon.output(), /Wr0ngSecret/);
    assert.equal(await daemon.stop(), 0);
  });
});
