/** Compiled code that is kept for the processes that come. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { shareCompiledCode } from '../../../src/os/compile-cache';

describe('the folder of compiled code', () => {
  const before = process.env['NODE_COMPILE_CACHE'];
  beforeEach(() => delete process.env['NODE_COMPILE_CACHE']);
  afterEach(() => {
    if (before === undefined) delete process.env['NODE_COMPILE_CACHE'];
    else process.env['NODE_COMPILE_CACHE'] = before;
  });

  it('is passed to the processes that are started', () => {
    shareCompiledCode('/srv/data/compile-cache');
    assert.equal(process.env['NODE_COMPILE_CACHE'], '/srv/data/compile-cache');
  });

  it("is the operator's if one is set", () => {
    process.env['NODE_COMPILE_CACHE'] = '/srv/cache';
    shareCompiledCode('/srv/data/compile-cache');
    assert.equal(process.env['NODE_COMPILE_CACHE'], '/srv/cache');
  });
});
