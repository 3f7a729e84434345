/** scripts/setup.mjs on machines that lack a program it cannot install. Nothing is installed and no network is used. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bareClone, ready } from '../../lab/bare-clone';

const ROOT = { PRETEND_ROOT: '1' };
const USER = { PRETEND_USER: '1' };

/** The tests mostly wait for child processes. */
const CONCURRENT = { concurrency: 3 };

describe('advice on system programs', CONCURRENT, () => {
  it('reports programs that are missing although their packages are installed, without installing again', async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.configure(['never-found']);
    clone.write('installed', 'never-found\n');
    await ready(clone).catch(() => clone.calls());
    const { code, said } = await clone.setup(['start'], ROOT);
    assert.equal(code, 69);
    assert.match(said, /is installed, and still this was not found:\n {2}never-found \(for never-found\)/);
    assert.deepEqual(clone.calls(), []);
  });

  const ALL = ['ffmpeg', 'redis-server', 'rabbitmq-server', 'etcd', 'setpriv', 'flock'];
  const commands: [system: string, command: string][] = [
    [
      'apt-get',
      'sudo apt-get update && sudo apt-get install -y --no-install-recommends ffmpeg redis-server rabbitmq-server etcd-server util-linux',
    ],
    ['dnf', 'sudo dnf install -y ffmpeg-free redis rabbitmq-server etcd util-linux'],
    ['apk', 'sudo apk add ffmpeg redis rabbitmq-server etcd setpriv flock'],
    ['pacman', 'sudo pacman -S --needed ffmpeg valkey rabbitmq etcd util-linux'],
    ['zypper', 'sudo zypper install ffmpeg redis rabbitmq-server etcd util-linux'],
    ['brew', 'brew install ffmpeg redis rabbitmq etcd util-linux flock'],
    ['none', 'Install these programs with your package manager.'],
  ];
  it('names the exact command of the system if packages may not be installed', async (t) => {
    const clone = bareClone(t);
    clone.configure(ALL);
    await ready(clone).catch(() => undefined);
    for (const [system, command] of commands) {
      clone.program(system, 'exit 1');
      const { code, said } = await clone.setup(['start'], USER);
      assert.equal(code, 69, system);
      for (const program of ALL) assert.match(said, new RegExp(`^ {2}${program} +for ${program}$`, 'm'));
      assert.ok(
        said.split('\n').some((line) => line.trim() === command),
        `${system}: ${said}`,
      );
      assert.match(said, /^ {2}docker compose up$/m);
      assert.match(said, /^Or name servers that you have as "redis", "rabbitmq" and "fleet.etcd" in/m);
      clone.remove(`bin/${system}`);
    }
  });

  it('says where to name an existing server if one is missing', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    for (const [missing, advice] of [
      [['etcd', 'flock'], /^Or name a server that you have as "fleet.etcd" in the configuration\.$/m],
      [['redis-server'], /^Or name a server that you have as "redis" in the configuration\.$/m],
    ] as const) {
      clone.configure([...missing]);
      assert.match((await clone.setup(['start'], USER)).said, advice);
    }
    clone.configure(['ffmpeg']);
    assert.doesNotMatch((await clone.setup(['start'], USER)).said, /Or name/);
  });

  it('covers the programs of the configuration that --config names, and none for commands without a daemon', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.configure(['ffmpeg']);
    clone.configure([], 'other/mine.json');
    const rows: [args: string[], code: number][] = [
      [[], 69],
      [['--config', 'other/mine.json'], 0],
      [['--config=other/mine.json'], 0],
      [['--config', 'absent.json'], 0], // the daemon reports it better
      [['daemon'], 69],
      [['check'], 0],
      [['--data-dir', 'data', 'check'], 0],
      [['process'], 0],
      [['--help'], 0],
      [['--version'], 0],
    ];
    for (const [args, code] of rows) {
      const run = await clone.setup(['start', ...args], USER);
      assert.equal(run.code, code, `${args.join(' ')}: ${run.said}`);
    }
  });

  it('names packages for the tests on Debian, and a container elsewhere', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    const elsewhere = await clone.setup(['test'], USER);
    assert.equal(elsewhere.code, 69);
    assert.match(elsewhere.said, /the tests need ffmpeg, .*pika for Python 3.*\n.*\n {2}docker run /);
    clone.debian();
    const unprivileged = await clone.setup(['test'], USER);
    assert.match(
      unprivileged.said,
      /sudo apt-get install .* python3-gi gir1\.2-gst-rtsp-server-1\.0 .*\bchromium\b/,
    );
    assert.equal((await clone.setup(['test'], ROOT)).code, 0);
    clone.calls();
    assert.deepEqual(await clone.setup(['test'], ROOT), { code: 0, said: '' });
    assert.deepEqual(clone.calls(), []);
  });

  it('accepts any installed Chromium for the tests of the page', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.debian();
    clone.program('google-chrome', '');
    const { said } = await clone.setup(['test'], USER);
    assert.match(said, /apt-get install .* procps tini/);
    assert.doesNotMatch(said, /chromium/);
  });
});
