/** The host's restart budget: never more starts within a minute than tokens, and first crashes go first. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { RestartBudget } from '../../../src/supervisor/restart-budget';
import { StartGate } from '../../../src/supervisor/start-gate';
import { seededRandom } from '../../../lab/random';
import { settled, until } from '../../../lab/until';

const FOREVER = new AbortController().signal;

function budgetOf(t: TestContext, perMinute: number) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
  const budget = new RestartBudget(perMinute, () => Date.now());
  const granted: { name: string; at: number; wanted: boolean }[] = [];
  return {
    budget,
    granted,
    names: () => granted.map(({ name }) => name),
    ask: async (name: string, crashes: number, signal = FOREVER) => {
      const wanted = () => !signal.aborted;
      void budget.take(crashes, signal).then(() => granted.push({ name, at: Date.now(), wanted: wanted() }));
      await settled(10);
    },
    pass: async (ms: number) => {
      t.mock.timers.tick(ms);
      await settled(10);
    },
  };
}

describe('the restart budget', () => {
  it('grants at once while there are tokens, and the rest a minute after they were taken', async (t) => {
    const { ask, names, pass } = budgetOf(t, 2);
    await ask('a', 1);
    await pass(10_000);
    await ask('b', 1);
    await ask('c', 1);
    await ask('d', 1);
    assert.deepEqual(names(), ['a', 'b']);
    await pass(49_999);
    assert.deepEqual(names(), ['a', 'b']);
    await pass(1);
    assert.deepEqual(names(), ['a', 'b', 'c']);
    await pass(10_000);
    assert.deepEqual(names(), ['a', 'b', 'c', 'd']);
  });

  it('lets fewer crashes go first, and equals in their order', async (t) => {
    const { ask, names, pass } = budgetOf(t, 1);
    await ask('taken', 1);
    await ask('quarantined', Infinity);
    await ask('third', 3);
    await ask('second', 2);
    await ask('also second', 2);
    await ask('first', 1);
    for (let i = 0; i < 5; i++) await pass(60_000);
    assert.deepEqual(names(), ['taken', 'first', 'second', 'also second', 'third', 'quarantined']);
  });

  it('keeps a quarter of the tokens for first crashes', async (t) => {
    const { ask, granted, names } = budgetOf(t, 8);
    for (let i = 0; i < 20; i++) await ask('flapping', 5);
    assert.equal(granted.length, 6);
    await ask('healthy', 1);
    assert.equal(names().at(-1), 'healthy');
  });

  it('gives no token to a child that no longer wants it', async (t) => {
    const { ask, names, pass } = budgetOf(t, 1);
    const stopping = new AbortController();
    await ask('taken', 1);
    await ask('stopped', 1, stopping.signal);
    await ask('other', 2);
    stopping.abort();
    await settled();
    assert.deepEqual(names(), ['taken', 'stopped'], 'it waits no more');
    await pass(60_000);
    assert.deepEqual(names(), ['taken', 'stopped', 'other']);
  });

  it('charges no token to a child that gave up before asking', async (t) => {
    const { ask, names } = budgetOf(t, 1);
    await ask('stopped', 1, AbortSignal.abort());
    await ask('other', 1);
    assert.deepEqual(names(), ['stopped', 'other']);
  });

  it('lets a first crash overtake those that wait, as soon as a token is back', async (t) => {
    const { ask, names, pass } = budgetOf(t, 4);
    for (const name of ['a', 'b', 'c', 'd']) await ask(name, 1);
    await ask('flapping', 9);
    await ask('first', 1);
    await pass(60_000);
    assert.deepEqual(names().slice(4), ['first', 'flapping']);
  });

  it('leaves no listener on the signal, and no timer, once nothing waits', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const budget = new RestartBudget(2);
    const stopping = new AbortController();
    const asked = Array.from({ length: 6 }, (_, crashes) => budget.take(crashes, stopping.signal));
    await until('two have got theirs', () => budget.waiting === 4);
    assert.equal(timers(), before + 1, 'one timer serves all');
    stopping.abort();
    await Promise.all(asked);
    await until('the timer has gone', () => timers() === before);
    assert.equal(budget.waiting, 0);
    assert.equal(getEventListeners(stopping.signal, 'abort').length, 0);
  });

  it('can be resized while some wait', async (t) => {
    const { budget, ask, names } = budgetOf(t, 1);
    await ask('a', 1);
    await ask('b', 1);
    budget.resize(2);
    await settled();
    assert.deepEqual(names(), ['a', 'b']);
  });

  it('that is made smaller grants nothing until fewer are out', async (t) => {
    const { budget, ask, names, pass } = budgetOf(t, 3);
    for (const name of ['a', 'b', 'c']) {
      await ask(name, 1);
      await pass(1000);
    }
    budget.resize(1);
    await ask('d', 1);
    await pass(58_999);
    assert.deepEqual(names(), ['a', 'b', 'c'], 'the last of three is still out');
    await pass(1);
    assert.deepEqual(names(), ['a', 'b', 'c', 'd']);
  });

  it('never grants more within any minute than there are tokens', async (t) => {
    const random = seededRandom(t);
    const perMinute = random.between(1, 20);
    const { budget, ask, granted, pass } = budgetOf(t, perMinute);
    const stopping: AbortController[] = [];
    for (let i = 0; i < 300; i++) {
      // Some give up while they wait: what they had asked for must not come back twice.
      if (random.next() < 0.1) random.pick([new AbortController(), ...stopping]).abort();
      stopping.unshift(new AbortController());
      await ask(`x${i}`, random.pick([1, 2, 6, Infinity]), stopping[0]?.signal);
      await pass(random.between(0, 3000));
    }
    const starts = granted.filter(({ wanted }) => wanted);
    for (const { at } of starts) {
      const within = starts.filter((other) => other.at >= at && other.at < at + 60_000).length;
      assert.ok(within <= perMinute, `${within} of ${perMinute} from ${at}`);
    }
    for (let minute = 0; minute < 600 && budget.waiting > 0; minute++) await pass(60_000);
    assert.equal(granted.length, 300, 'everybody has had a turn');
  });
});

describe('the start gate', () => {
  it('limits the number of simultaneous starts, in their order, including failures', async () => {
    const gate = new StartGate(2);
    const running: string[] = [];
    const ends = new Map<string, (fails: boolean) => void>();
    const start = (name: string) =>
      gate.pass(
        () =>
          new Promise<string>((resolve, reject) => {
            running.push(name);
            ends.set(name, (fails) => {
              if (fails) reject(new Error(name));
              else resolve(name);
            });
          }),
      );
    const started = ['a', 'b', 'c', 'd'].map(start);
    await settled();
    assert.deepEqual(running, ['a', 'b']);
    ends.get('b')?.(true);
    await assert.rejects(started[1] ?? Promise.resolve(), /b/);
    await until('the next is let in', () => running.length === 3);
    gate.resize(3);
    await until('a wider gate lets in more', () => running.length === 4);
    for (const name of ['a', 'c', 'd']) ends.get(name)?.(false);
    assert.deepEqual(await Promise.all([started[0], started[2], started[3]]), ['a', 'c', 'd']);
  });
});
