/** scripts/setup.mjs on machines that lack one thing or another. Nothing is installed and no network is used. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { BareClone } from '../../lab/bare-clone';
import { isAlive, waitUntil } from '../../lab/process';

const NPM_CI = 'npm ci --include=dev --no-audit --no-fund --loglevel=error';
const ROOT = { PRETEND_ROOT: '1' };
const USER = { PRETEND_USER: '1' };

/** They are children waiting for one another, mostly. */
const CONCURRENT = { concurrency: 3 };

/** Gone when the test ends. */
function bareClone(test: TestContext): BareClone {
  const clone = new BareClone();
  test.after(() => clone.dispose());
  return clone;
}

async function ready(clone: BareClone): Promise<void> {
  const { code, said } = await clone.setup(['start']);
  assert.equal(code, 0, said);
  clone.calls();
}

describe('packages and build', CONCURRENT, () => {
  it('makes a bare clone ready, and then has nothing to do or say', async (t) => {
    const clone = bareClone(t);
    const first = await clone.setup(['start'], { NODE_ENV: 'production' });
    assert.equal(first.code, 0, first.said);
    assert.deepEqual(clone.calls(), [NPM_CI, 'tsc']);
    const second = await clone.setup(['start']);
    assert.deepEqual(second, { code: 0, said: '' });
    assert.deepEqual(clone.calls(), []);
  });

  it('installs again for another package-lock.json, and after an installation that failed', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.write('package-lock.json', '{"another":1}');
    clone.write('npm-fails', 'npm error code ECONNREFUSED\nnpm error     at Stack (file.js:1:1)\n');
    const failed = await clone.setup(['start']);
    assert.equal(failed.code, 69);
    assert.match(
      failed.said,
      /npm registry could not be reached: ECONNREFUSED\). By hand: cd .* && npm ci --include=dev/,
    );
    assert.doesNotMatch(failed.said, /at Stack/);
    clone.remove('npm-fails');
    // Back to the old lock: what npm left behind half-way must not pass for the old installation.
    clone.write('package-lock.json', '{}');
    assert.equal((await clone.setup(['start'])).code, 0);
    assert.deepEqual(clone.calls(), [NPM_CI, NPM_CI]);
  });

  it('compiles again when a source is changed, added or removed, and removes what is left of the removed', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.write('src/added.ts', '1');
    await clone.setup(['start']);
    assert.ok(clone.has('dist/added.js'));
    clone.write('src/added.ts', '12');
    await clone.setup(['start']);
    assert.equal(clone.read('dist/added.js'), '12');
    clone.remove('src/added.ts');
    await clone.setup(['start']);
    assert.ok(!clone.has('dist/added.js'));
    assert.deepEqual(clone.calls(), ['tsc', 'tsc', 'tsc']);
  });

  it("ends with 1 and the compiler's words when the sources do not compile, each time", async (t) => {
    const clone = bareClone(t);
    clone.write('src/main.ts', 'broken');
    for (const _ of [1, 2]) {
      const { code, said } = await clone.setup(['start']);
      assert.equal(code, 1);
      assert.match(said, /src\/main\.ts\(1,1\): error/);
    }
  });

  it("bundles what was compiled, and ends with 1 and the bundler's words where it cannot, each time", async (t) => {
    const clone = bareClone(t);
    clone.write('src/comedy/bundled-camera.ts', 'unbundled');
    for (const _ of [1, 2]) {
      const { code, said } = await clone.setup(['start']);
      assert.equal(code, 1);
      assert.match(said, /src\/comedy\/bundled-camera\.ts: no bundle/);
      assert.match(said, /cannot be bundled; esbuild says why above/);
    }
    for (const text of ['1', '12']) {
      clone.write('src/comedy/bundled-camera.ts', text);
      await ready(clone);
      assert.equal(clone.read('dist/bundle/forked-actor-worker.js'), `bundle of ${text}`);
    }
  });

  it('builds the page again when a source of it is changed, and says where it cannot', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.calls();
    clone.write('web/added.ts', '1');
    clone.write('web/added.css', 'a');
    assert.equal((await clone.setup(['start'])).code, 0);
    assert.deepEqual(clone.calls(), ['tsc']);
    assert.equal(clone.read('dist/page/added.js'), 'module of 1');
    assert.equal(clone.read('dist/page/added.css'), 'a');
    assert.match(clone.read('dist/page/index.html'), /<link rel="modulepreload" href="added\.js" \/>/);
    assert.match(clone.read('dist/page/vendor/hooks.js'), /from"\.\/preact\.js"/);
    clone.write('web/added.ts', 'broken');
    const { code, said } = await clone.setup(['start']);
    assert.equal(code, 1);
    assert.match(said, /added\.ts: no module/);
    assert.match(said, /the page cannot be built; esbuild says why above/);
  });

  it('lets a second set-up wait for the first, with the lock of the kernel and without', async (t) => {
    const clone = bareClone(t);
    for (const flock of [true, false]) {
      if (!flock) clone.remove('bin/flock');
      clone.remove('node_modules');
      clone.remove('dist');
      clone.write('npm-takes', '0.5');
      const both = await Promise.all([clone.setup(['start']), clone.setup(['start'])]);
      assert.deepEqual(
        both.map(({ code }) => code),
        [0, 0],
      );
      assert.deepEqual(clone.calls(), [NPM_CI, 'tsc']);
      assert.ok(!clone.has('.setup-lock'));
    }
  });

  it(
    'ends npm when told to stop, leaves nothing running, and goes on next time',
    { timeout: 20_000 },
    async (t) => {
      const clone = bareClone(t);
      clone.write('npm-takes', '30');
      const { child, ended } = clone.start(['sh', 'scripts/start.sh']);
      await waitUntil('npm runs', () => clone.has('npm-pid') && clone.read('npm-pid').endsWith('\n'));
      const npm = Number(clone.read('npm-pid'));
      child.kill('SIGTERM');
      const { code, said } = await ended;
      assert.equal(code, 143, said);
      // Killed it is; whoever inherited it still has to reap it.
      await waitUntil('npm has gone', () => !isAlive(npm), 2000);
      clone.remove('npm-takes');
      await ready(clone);
    },
  );
});

describe('programs of the system', CONCURRENT, () => {
  it('are installed on Debian by root, while packages may start no servers', async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.configure(['ffmpeg', 'redis-server', 'setpriv', 'flock']);
    clone.write('installed', 'util-linux-extra\n');
    const { code, said } = await clone.setup(['start'], ROOT);
    assert.equal(code, 0, said);
    const install = 'apt-get install -y --no-install-recommends';
    const packages = 'ffmpeg redis-server util-linux';
    const calls = clone.calls().filter((call) => call !== 'apt-get update'); // a machine without lists gets them first
    assert.deepEqual(calls.slice(2, 4), [
      `${install} --download-only ${packages}`,
      `${install} -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 ${packages} [servers forbidden]`,
    ]);
    assert.ok(!existsSync(clone.policy));
    assert.deepEqual(await clone.setup(['start'], ROOT), { code: 0, said: '' });
  });

  it('are installed through a sudo that asks for no password', async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.program('sudo', 'echo "sudo $*" >>"$RECORD"; shift; exec "$@"\n');
    clone.configure(['ffmpeg']);
    const { code, said } = await clone.setup(['start'], USER);
    assert.equal(code, 0, said);
    assert.ok(clone.calls().some((call) => /^sudo -n sh .*install-debian\.sh .* ffmpeg$/.test(call)));
  });

  it('are looked for in new lists when the old ones are outdated', async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.configure(['ffmpeg']);
    clone.write('apt-outdated', '');
    const { code, said } = await clone.setup(['start'], ROOT);
    assert.equal(code, 0, said);
    const words = clone.calls().map((call) => call.split(' ').slice(0, 2).join(' '));
    assert.deepEqual(words.slice(-3), ['apt-get update', 'apt-get install', 'apt-get install']);
  });

  it('that apt-get cannot get end the set-up with one sentence and the command', async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.program('apt-get', 'echo "E: Failed to fetch" >&2; exit 100\n');
    clone.configure(['ffmpeg']);
    const { code, said } = await clone.setup(['start'], ROOT);
    assert.equal(code, 69);
    assert.match(said, /E: Failed to fetch/);
    assert.match(said, /could not install ffmpeg.* By hand: apt-get update && apt-get install -y .* ffmpeg/);
  });

  it("keep a policy of the machine's own, and clear one that a killed set-up left", async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.configure(['ffmpeg']);
    writeFileSync(clone.policy, 'own');
    chmodSync(clone.policy, 0o700);
    assert.equal((await clone.setup(['start'], ROOT)).code, 0);
    assert.equal(clone.read('policy-rc.d'), 'own');
    clone.write('installed', '');
    const script = clone.read('scripts/setup/install-debian.sh');
    const mark = /mark='(.*)'/.exec(script)?.[1] ?? assert.fail('no mark');
    writeFileSync(clone.policy, `#!/bin/sh\n${mark}\nexit 101\n`);
    assert.equal((await clone.setup(['start'], ROOT)).code, 0);
    assert.ok(!existsSync(clone.policy));
  });

  const unitRows: [what: string, before: string, apt: string, disabled: string[]][] = [
    [
      'all of them',
      '',
      '0',
      ['redis-server.service', 'rabbitmq-server.service', 'epmd.service', 'epmd.socket'],
    ],
    [
      'not one that was there',
      'redis-server\n',
      '0',
      ['rabbitmq-server.service', 'epmd.service', 'epmd.socket'],
    ],
    [
      'not those that another package needs',
      'erlang-base\n',
      '0',
      ['redis-server.service', 'rabbitmq-server.service'],
    ],
    [
      'those too of an installation that broke off',
      'erlang-base\nrabbitmq-server\n',
      '100',
      ['redis-server.service'],
    ],
  ];
  for (const [what, before, apt, disabled] of unitRows)
    it(`do not start servers at the next boot: ${what}`, async (t) => {
      const clone = bareClone(t);
      await ready(clone);
      clone.debian();
      clone.write('installed', before);
      if (apt !== '0') clone.write('apt-breaks', '');
      clone.configure(['ffmpeg', 'redis-server', 'rabbitmq-server']);
      const { code, said } = await clone.setup(['start'], ROOT);
      assert.equal(code, apt === '0' ? 0 : 69, said);
      const calls = clone.calls().filter((call) => call.startsWith('systemctl'));
      assert.deepEqual(
        calls,
        disabled.map((unit) => `systemctl --quiet disable ${unit}`),
      );
      assert.ok(!existsSync(clone.policy));
    });

  it('do not start Prometheus and etcd at the next boot, which only the tests run', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.debian();
    assert.equal((await clone.setup(['test'], ROOT)).code, 0);
    const calls = clone.calls();
    for (const unit of ['prometheus.service', 'etcd.service'])
      assert.ok(calls.includes(`systemctl --quiet disable ${unit}`), calls.join());
    assert.ok(!existsSync(clone.policy));
  });

  it('are installed to the end before a wish to stop is granted, and the policy goes', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.debian();
    clone.configure(['ffmpeg']);
    clone.write('apt-takes', '0.6');
    const { child, ended } = clone.start(['node', 'scripts/setup.mjs', 'start'], ROOT);
    await waitUntil(
      'the packages are being installed',
      () => existsSync(clone.policy) && clone.calls().length > 0,
    );
    await waitUntil('packages may start no servers', () => (statSync(clone.policy).mode & 0o777) === 0o755);
    child.kill('SIGINT');
    const { code, said } = await ended;
    assert.equal(code, 130, said);
    assert.match(said, /told to stop: waiting for this to end/);
    assert.match(clone.read('installed'), /^ffmpeg$/m);
    assert.ok(!existsSync(clone.policy));
  });

  it('not found although their packages are installed are said so, without another installation', async (t) => {
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

  const ALL = ['ffmpeg', 'redis-server', 'rabbitmq-server', 'setpriv', 'flock'];
  const commands: [system: string, command: string][] = [
    [
      'apt-get',
      'sudo apt-get update && sudo apt-get install -y --no-install-recommends ffmpeg redis-server rabbitmq-server util-linux',
    ],
    ['dnf', 'sudo dnf install -y ffmpeg-free redis rabbitmq-server util-linux'],
    ['apk', 'sudo apk add ffmpeg redis rabbitmq-server setpriv flock'],
    ['pacman', 'sudo pacman -S --needed ffmpeg valkey rabbitmq util-linux'],
    ['zypper', 'sudo zypper install ffmpeg redis rabbitmq-server util-linux'],
    ['brew', 'brew install ffmpeg redis rabbitmq util-linux flock'],
    ['none', 'Install these programs with your package manager.'],
  ];
  it('that may not be installed are named with the exact command of the system', async (t) => {
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
      clone.remove(`bin/${system}`);
    }
  });

  it('are those of the configuration that --config names, and of none where no daemon runs', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.configure(['ffmpeg']);
    clone.configure([], 'other/mine.json');
    const rows: [args: string[], code: number][] = [
      [[], 69],
      [['--config', 'other/mine.json'], 0],
      [['--config=other/mine.json'], 0],
      [['--config', 'absent.json'], 0], // the daemon says it better
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

  it('for the tests are packages on Debian, and elsewhere lead to a container', async (t) => {
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

  it('for the tests of the page are any Chromium that is there', async (t) => {
    const clone = bareClone(t);
    await ready(clone);
    clone.debian();
    clone.program('google-chrome', '');
    const { said } = await clone.setup(['test'], USER);
    assert.match(said, /apt-get install .* procps tini/);
    assert.doesNotMatch(said, /chromium/);
  });
});

describe('start.sh', CONCURRENT, () => {
  /** Speaks only once it heeds signals. */
  const DAEMON = `
    if (process.argv.includes('--wait')) {
      for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(signal === 'SIGTERM' ? 7 : 8));
      setInterval(() => undefined, 1000);
    }
    console.log(JSON.stringify({ pid: process.pid, cwd: process.cwd(), args: process.argv.slice(2) }));`;

  it('becomes the daemon, which gets its signals and gives its exit code', async (t) => {
    const clone = bareClone(t);
    clone.write('src/main.ts', DAEMON);
    await ready(clone);
    for (const [signal, expected] of [
      ['SIGTERM', 7],
      ['SIGINT', 8],
    ] as const) {
      const { child, ended } = clone.start(['sh', 'scripts/start.sh', '--wait']);
      let started = '';
      child.stdout.on('data', (text: string) => (started += text));
      await waitUntil('the daemon runs', () => started.endsWith('\n'));
      assert.equal((JSON.parse(started) as { pid: number }).pid, child.pid);
      child.kill(signal);
      assert.equal((await ended).code, expected);
    }
  });

  it("runs it in the caller's folder, if npm says so of this package", async (t) => {
    const clone = bareClone(t);
    clone.write('src/main.ts', DAEMON);
    clone.write('caller/mine.json', '{"missing":[]}');
    await ready(clone);
    const caller = path.join(clone.folder, 'caller');
    const rows: [packageJson: string, cwd: string][] = [
      [path.join(clone.folder, 'package.json'), caller],
      ['/another/package.json', clone.folder],
    ];
    for (const [npm_package_json, cwd] of rows) {
      const { code, said } = await clone.start(['sh', 'scripts/start.sh', '--config', 'a b.json'], {
        INIT_CWD: caller,
        npm_package_json,
      }).ended;
      assert.equal(code, 0, said);
      const daemon = JSON.parse(said) as { cwd: string; args: string[] };
      assert.deepEqual([daemon.cwd, daemon.args], [cwd, ['--config', 'a b.json']]);
    }
  });
});

describe('an unsuitable Node', CONCURRENT, () => {
  for (const version of ['12.22.12', '18.20.8', '20.8.1'])
    it(`${version} is refused in a sentence`, async (t) => {
      const clone = bareClone(t);
      const { code, said } = await clone.setup(['start'], { PRETEND_NODE: version });
      assert.equal(code, 69);
      assert.match(
        said,
        new RegExp(`^vigil setup: Vigil needs Node\\.js 20\\.9 or newer, and this is ${version} .*\\n$`),
      );
    });

  it('none at all is told in a sentence', async (t) => {
    const clone = bareClone(t);
    clone.remove('bin/node');
    const { code, said } = await clone.start(['/bin/sh', 'scripts/start.sh']).ended;
    assert.equal(code, 69);
    assert.match(said, /Node\.js was not found; install version 20\.9/);
  });
});
