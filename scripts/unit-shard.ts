/**
 * Runs test files in this process, one after another, as its parent names them: a process for each file would take longer
 * to start than most tests take. It asks for each with `next`, and ends once it is disconnected.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';

/**
 * Functions are optimized after 40 times as many calls as usual: otherwise, V8's compiler takes a fifth of the processor
 * time, mostly for code that is not run often enough afterwards.
 */
const [major = 0] = process.versions.node.split('.').map(Number);
setFlagsFromString(major < 22 ? '--interrupt-budget=2700000' : '--invocation-count-for-turbofan=120000');

const load = createRequire(__filename);
let lastEnds: () => void = () => undefined;

function endOfFile(): Promise<void> {
  return new Promise((resolve) => {
    lastEnds = resolve;
    process.send?.('next');
  });
}

process.on('message', (file: string) => {
  const name = path.relative(process.cwd(), file);
  try {
    load(file);
  } catch (error) {
    void it(`${name} loads`, () => assert.ifError(error));
  }
  // Node's test runner ends when it has no test left: this suite lasts until the next file is loaded.
  void describe(`end of ${name}`, () => after(endOfFile));
  lastEnds();
});
process.once('disconnect', () => lastEnds());
process.send?.('next');
