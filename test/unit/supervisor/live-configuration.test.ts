/** Edits on their way into the running tree: whole or not at all, the newest wins, whatever goes wrong. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { live, text } from '../../../lab/live-bench';
import { settled, until } from '../../../lab/until';

describe('a live configuration', { concurrency: true }, () => {
  it('applies an edit, and reports what it changes', async (t) => {
    const { edit, applied, configuration, said, file } = live(t);
    const { appliedAtMs } = configuration.state;
    await edit(text('second'));
    assert.deepEqual(applied, ['second']);
    assert.deepEqual(said('info'), ['the configuration has changed: start camera:new; leave 0 as they are']);
    assert.equal(configuration.state.file, file);
    assert.ok(configuration.state.appliedAtMs >= appliedAtMs);
    assert.equal(configuration.state.faults, undefined);
  });

  it('logs nothing if nothing has changed', async (t) => {
    const { edit, said } = live(t);
    await edit(text('first'));
    assert.deepEqual(said('info'), []);
  });

  const bad: readonly [string, string, RegExp][] = [
    ['that is not JSON', '{"cameras": [', /^\$: is not JSON: .*line 1/],
    ['with a fault', text('a b'), /^\$\.namespace: found "a b"/],
    ['that is empty, as while an editor writes it', '', /^\$: is not JSON/],
  ];
  for (const [what, content, problem] of bad)
    it(`applies nothing of a file ${what}, and all of the next one`, async (t) => {
      const { edit, applied, taken, configuration, problems, said } = live(t);
      const { appliedAtMs } = configuration.state;
      await edit(content);
      assert.deepEqual([applied, taken], [[], []]);
      assert.equal(configuration.state.appliedAtMs, appliedAtMs);
      assert.match(problems()?.join() ?? '', problem);
      assert.match(said('error').join(), /is not valid, nothing was changed/);
      await edit(text('second'));
      assert.deepEqual([applied, taken], [['second'], ['second']]);
      assert.equal(problems(), undefined);
    });

  it('reports a file that is missing', async (t) => {
    const { configuration, problems, applied } = live(t);
    await configuration.reload();
    assert.match(problems()?.join() ?? '', /^\$: there is no such file/);
    assert.deepEqual(applied, []);
  });

  it('does not call a valid file invalid if the running daemon cannot change to it', async (t) => {
    const { edit, supervisor, configuration, said } = live(t);
    supervisor.refused = [{ path: '$.redis', problem: 'changes only with the daemon' }];
    await edit(text('second'));
    assert.equal(configuration.state.refusal, 'not-applied');
    assert.match(said('error').join(), /actors\.json is valid, but cannot be applied to the running daemon/);
    assert.doesNotMatch(said('error').join(), /not valid/);
    await edit(text('a b'));
    assert.equal(configuration.state.refusal, 'invalid');
    assert.match(said('error').at(-1) ?? '', /actors\.json is not valid/);
    supervisor.refused = [];
    await edit(text('third'));
    assert.equal(configuration.state.refusal, undefined);
  });

  it('applies nothing of an edit that needs a program this machine does not have, until it has it', async (t) => {
    const { edit, supervisor, applied, problems, configuration } = live(t);
    supervisor.missing = [
      { program: 'ffmpeg', why: 'feeds are read with it' },
      { program: 'etcd', why: 'the configuration says "etcd": "embedded"' },
    ];
    await edit(text('second'));
    assert.deepEqual(applied, []);
    assert.deepEqual(problems(), [
      '$.ffmpeg: needs ffmpeg (feeds are read with it), which is missing on this machine',
      '$: needs etcd (the configuration says "etcd": "embedded"), which is missing on this machine',
    ]);
    supervisor.missing = [];
    await configuration.reload();
    assert.deepEqual(applied, ['second']);
  });

  it('applies nothing of an edit that is refused in part', async (t) => {
    const { edit, supervisor, applied, problems, configuration, file } = live(t);
    supervisor.refused = [{ path: '$.redis', problem: 'changes only with the daemon' }];
    await edit(text('second'));
    assert.deepEqual(applied, []);
    assert.deepEqual(problems(), ['$.redis: changes only with the daemon']);
    assert.throws(() => configuration.plan(text('second'), file), { code: 'configuration-not-applied' });
  });

  it('plans without applying', async (t) => {
    const { configuration, applied } = live(t);
    assert.deepEqual(configuration.plan(text('second'), '/elsewhere/actors.json').start, ['camera:new']);
    await settled();
    assert.deepEqual(applied, []);
    assert.equal(configuration.state.faults, undefined);
  });

  it('reports why an edit could not be applied, and applies the next', async (t) => {
    const { edit, supervisor, applied, problems, said } = live(t);
    supervisor.refuses = () => {
      throw new Error('ENOSPC: no space left on device');
    };
    await edit(text('second'));
    assert.match(problems()?.join() ?? '', /^\$: could not be applied: ENOSPC: .*SIGHUP/);
    assert.match(said('error').join(), /ENOSPC/);
    supervisor.refuses = () => undefined;
    await edit(text('third'));
    assert.deepEqual(applied, ['third']);
    assert.equal(problems(), undefined);
  });

  it('applies nothing that another daemon has, announces no restart, and applies the next', async (t) => {
    const { edit, applied, problems, said } = live(t);
    await edit(text('taken'));
    assert.match(problems()?.join() ?? '', /another daemon has it/);
    assert.deepEqual([applied, said('info')], [[], []]);
    assert.match(said('error').join(), /nothing was changed/);
    await edit(text('third'));
    assert.deepEqual([applied, problems()], [['third'], undefined]);
  });

  it('lets a newer edit replace one that is being rolled out', async (t) => {
    const { edit, supervisor, applied, configuration } = live(t);
    const { appliedAtMs } = configuration.state;
    const finish: (() => void)[] = [];
    supervisor.takes = () => new Promise((resolve) => finish.push(resolve));
    await edit(text('second'));
    supervisor.behind = 3;
    assert.deepEqual([configuration.state.behind, configuration.state.appliedAtMs], [3, appliedAtMs]);
    await edit(text('third'));
    assert.deepEqual(applied, ['second', 'third'], 'the third did not wait for the second');
    finish[0]?.();
    await settled();
    assert.equal(configuration.state.appliedAtMs, appliedAtMs, 'the second is not what is wanted');
    supervisor.behind = 0;
    finish[1]?.();
    await until('the third is rolled out', () => configuration.state.appliedAtMs > appliedAtMs);
    assert.equal(configuration.state.behind, undefined);
  });

  it('reports why a rollout could not finish', async (t) => {
    const { edit, supervisor, problems, said } = live(t);
    supervisor.takes = async () => {
      throw new Error('EMFILE: too many open files');
    };
    await edit(text('second'));
    await until('it is said', () => /applied only in part: EMFILE/.test(problems()?.join() ?? ''));
    assert.match(said('error').join(), /actors\.json was applied only in part: EMFILE: .*SIGHUP$/);
    assert.doesNotMatch(said('error').join(), /nothing was changed/);
  });

  it('skips what the file held while a newer edit was on its way', async (t) => {
    const { file, applied, configuration, edit, supervisor } = live(t);
    writeFileSync(file, text('first'));
    const stopping = new AbortController();
    const watching = configuration.watch(stopping.signal);
    let release: (() => void) | undefined;
    supervisor.claims = () => new Promise((resolve) => (release = resolve));
    const slow = edit(text('slow'));
    await until('it is asked for', () => release !== undefined);
    writeFileSync(file, text('second'));
    // Long enough for the watch to see it, and to wait behind the slow one.
    await delay(1000);
    writeFileSync(file, text('third'));
    release?.();
    await slow;
    await until('the newest is applied', () => applied.includes('third'));
    stopping.abort();
    await watching;
    assert.deepEqual(applied, ['slow', 'third']);
  });

  it('watches the file until it is stopped', async (t) => {
    const { file, configuration, applied } = live(t);
    writeFileSync(file, text('first'));
    const stopping = new AbortController();
    const watching = configuration.watch(stopping.signal);
    writeFileSync(file, text('second'));
    await until('it is taken over', () => applied.length > 0);
    stopping.abort();
    await watching;
    assert.deepEqual(applied, ['second']);
  });
});
