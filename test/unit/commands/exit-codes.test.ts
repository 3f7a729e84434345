/** Exit codes: what a service manager and a script decide by. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exitCodeOf } from '../../../src/commands/exit-codes';
import { ConfigurationError } from '../../../src/config/faults';
import { ExitFault, Fault, type ExitFaultCode } from '../../../src/fault/fault';

describe('the exit code', () => {
  const rows: readonly [ExitFaultCode, number][] = [
    ['usage', 2],
    ['no-daemon', 3],
    ['not-permitted', 69],
    ['service-start', 69],
    ['port-in-use', 69],
    ['namespace-in-use', 69],
    ['cannot-write', 69],
    ['daemon-silent', 70],
    ['bad-url', 78],
  ];
  for (const [code, expected] of rows)
    it(`for ${code} is ${expected}`, () => assert.equal(exitCodeOf(new ExitFault(code, 'why')), expected));

  it('for a configuration that is invalid or cannot be applied is 78', () => {
    for (const refusal of ['invalid', 'not-applied'] as const)
      assert.equal(exitCodeOf(new ConfigurationError('/srv/actors.json', [], refusal)), 78);
  });

  it('for any other error is 70: the program was not meant to end', () => {
    for (const error of [new Error('bug'), new Fault('usage', 'not the command line'), 'thrown'])
      assert.equal(exitCodeOf(error), 70);
  });
});
