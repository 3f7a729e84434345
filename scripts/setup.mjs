/**
 * Makes a bare clone ready: `node scripts/setup.mjs start|test [daemon arguments]`.
 * Does nothing, in a fraction of a second, when all is ready. Its output is sent to stderr.
 * Exit codes: 0 ready, 1 the sources do not compile, 2 usage, 69 something needed is missing,
 * 128 + signal number when stopped by a signal.
 */
// A version check inside modern code would never run on an old Node, which fails at parsing it. So the check
// comes first, in old syntax, and the rest is loaded after it.
import './setup/require-node.cjs';

import('./setup/main.mjs').then(({ main }) => main(process.argv.slice(2)));
