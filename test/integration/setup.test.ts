/** scripts/setup.mjs and start.sh on machines that have all programs, or no suitable Node. Nothing is installed and no network is used. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { isAlive, waitUntil } from '../../lab/process';
import { bareClone, ready } from '../../lab/bare-clone';

const NPM_CI = 'npm ci --include=dev --no-audit --no-fund --loglevel=error';

/** The tests mostly wait for child processes. */
const CONCURRENT = { concurrency: 3 };

describe('packages and build', CONCURRENT, () => {
  it('are prepared in a bare clone; the next set-up does and prints nothing', async (t) => {
    const clone = bareClone(t);
    const first = await clone.setup(['start'], { NODE_ENV: 'production' });
    assert.equal(first.code, 0, first.said);
    assert.deepEqual(clone.calls(), [NPM_CI, 'tsc']);
    const second = await clone.setup(['start']);
    assert.deepEqual(second, { code: 0, said: '' });
    assert.deepEqual(clone.calls(), []);
  });

  it('are installed again for another package-lock.json, and after a failed installation', async (t) => {
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
    // Back to the old lock: what the failed npm left behind must not count as the old installation.
    clone.write('package-lock.json', '{}');
    assert.equal((await clone.setup(['start'])).code, 0);
    assert.deepEqual(clone.calls(), [NPM_CI, NPM_CI]);
  });

  it('are compiled again when a source is changed, added or removed; output of a removed source is deleted', async (t) => {
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

  it("exit with 1 and the compiler's output, each time, if the sources do not compile", async (t) => {
    const clone = bareClone(t);
    clone.write('src/main.ts', 'broken');
    for (const _ of [1, 2]) {
      const { code, said } = await clone.setup(['start']);
      assert.equal(code, 1);
      assert.match(said, /src\/main\.ts\(1,1\): error/);
    }
  });

  it('are bundled after compilation; a bundler that fails gives exit code 1 and its output, each time', async (t) => {
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

  it('include the page, which is built again when its source changes; a failure is reported', async (t) => {
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

  it('are made by one set-up at a time: a second one waits, with the lock of the kernel and without', async (t) => {
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
    'are interrupted by a stop request, which ends npm, leaves nothing running, and continues next time',
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
      // npm is dead, but the process that adopted it may not have reaped it yet.
      await waitUntil('npm has gone', () => !isAlive(npm), 2000);
      clone.remove('npm-takes');
      await ready(clone);
    },
  );
});

describe('start.sh', CONCURRENT, () => {
  /** A daemon that prints its line only once it handles signals. */
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

  it("runs the daemon in the caller's folder if npm names this package", async (t) => {
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

  it('a missing Node is reported in one sentence', async (t) => {
    const clone = bareClone(t);
    clone.remove('bin/node');
    const { code, said } = await clone.start(['/bin/sh', 'scripts/start.sh']).ended;
    assert.equal(code, 69);
    assert.match(said, /Node\.js was not found; install version 20\.9/);
  });
});
