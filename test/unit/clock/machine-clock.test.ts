/** A machine's clock that is set, slewed, or read by a busy process; and a machine that sleeps. In simulated time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isClockUnset, MachineClock, RELEASED_AT } from '../../../src/clock/machine-clock';

class SimulatedMachine {
  wallMs = 1_795_381_140_000;
  monotonicMs = 5000;
  bootMs = 9000;
  /** What every look at a clock takes. */
  takesMs = 0;
  readonly clock = new MachineClock({
    wallMs: () => this.#read('wallMs'),
    monotonicMs: () => this.#read('monotonicMs'),
    bootMs: () => this.bootMs,
  });

  pass(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
    this.bootMs += ms;
  }

  sleep(ms: number): void {
    this.wallMs += ms;
    this.bootMs += ms;
  }

  /** By how much the clock says it was set, after a while. */
  setAfter(ms: number): number {
    this.pass(ms);
    return this.clock.now().setMs;
  }

  #read(name: 'wallMs' | 'monotonicMs'): number {
    this.pass(this.takesMs);
    return this[name];
  }
}

describe("this machine's clock", () => {
  it('that runs normally does not count as set, whatever passes between two looks', () => {
    const machine = new SimulatedMachine();
    for (const ms of [0, 40, 1000, 86_400_000]) assert.equal(machine.setAfter(ms), 0);
  });

  for (const setMs of [-1000, 1000, 3_600_000, -56 * 365 * 86_400_000])
    it(`that is set by ${setMs} ms is detected once`, () => {
      const machine = new SimulatedMachine();
      machine.setAfter(40);
      const before = machine.clock.now().steadyMs;
      machine.wallMs += setMs;
      assert.equal(machine.setAfter(40), setMs);
      assert.equal(machine.setAfter(40), 0);
      assert.equal(machine.clock.now().steadyMs - before, 80);
    });

  it('does not count as set if a time server corrects it little by little', () => {
    const machine = new SimulatedMachine();
    for (let i = 0; i < 1000; i++) {
      machine.wallMs += 10;
      assert.equal(machine.setAfter(1000), 0);
    }
  });

  it('does not count as set if the process waits for the processor between two clocks', () => {
    const machine = new SimulatedMachine();
    machine.setAfter(40);
    machine.takesMs = 40;
    assert.equal(machine.setAfter(40), 0);
    machine.takesMs = 0;
    assert.equal(machine.setAfter(40), 0);
  });

  it('does not count as set when the machine sleeps; the time passes', () => {
    const machine = new SimulatedMachine();
    machine.setAfter(40);
    const before = machine.clock.now().steadyMs;
    machine.sleep(3_600_000);
    assert.equal(machine.setAfter(40), 0);
    assert.equal(machine.clock.now().steadyMs - before, 3_600_040);
    machine.sleep(3_600_000);
    machine.wallMs += 5000;
    assert.equal(machine.setAfter(40), 5000, 'set while it slept');
  });

  it('that is earlier than the release of this version of Vigil counts as unset', () => {
    assert.deepEqual([0, RELEASED_AT - 1, RELEASED_AT].map(isClockUnset), [true, true, false]);
    assert.ok(!isClockUnset(Date.now()), 'this version is made in the past');
  });
});
