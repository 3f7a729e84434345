/** scripts/setup.mjs as it installs system programs. Nothing is really installed and no network is used. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { waitUntil } from '../../lab/process';
import { bareClone, ready } from '../../lab/bare-clone';

const ROOT = { PRETEND_ROOT: '1' };
const USER = { PRETEND_USER: '1' };

/** The tests mostly wait for child processes. */
const CONCURRENT = { concurrency: 3 };

describe('system programs', CONCURRENT, () => {
  it('are installed on Debian by root, while packages may not start servers', async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.configure(['ffmpeg', 'redis-server', 'setpriv', 'flock']);
    clone.write('installed', 'util-linux-extra\n');
    const { code, said } = await clone.setup(['start'], ROOT);
    assert.equal(code, 0, said);
    const install = 'apt-get install -y --no-install-recommends';
    const packages = 'ffmpeg redis-server util-linux';
    const calls = clone.calls().filter((call) => call !== 'apt-get update'); // a machine without lists fetches them first
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

  it('are searched for in new lists if the old ones are outdated', async (t) => {
    const clone = bareClone(t);
    clone.debian();
    clone.configure(['ffmpeg']);
    clone.write('apt-outdated', '');
    const { code, said } = await clone.setup(['start'], ROOT);
    assert.equal(code, 0, said);
    const words = clone.calls().map((call) => call.split(' ').slice(0, 2).join(' '));
    assert.deepEqual(words.slice(-3), ['apt-get update', 'apt-get install', 'apt-get install']);
  });

  it('that apt-get cannot install end the set-up with one sentence and the command', async (t) => {
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

  it('are installed completely before a stop request takes effect, and the policy is deleted', async (t) => {
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
    await waitUntil('packages may not start servers', () => (statSync(clone.policy).mode & 0o777) === 0o755);
    child.kill('SIGINT');
    const { code, said } = await ended;
    assert.equal(code, 130, said);
    assert.match(said, /told to stop: waiting for this to end/);
    assert.match(clone.read('installed'), /^ffmpeg$/m);
    assert.ok(!existsSync(clone.policy));
  });
});
