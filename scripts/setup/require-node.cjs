/**
 * Ends with a sentence, not a syntax error, on a Node that is too old.
 * In the syntax of 2015 on purpose: every Node has to understand it.
 */
'use strict';

var found = process.versions.node.split('.').map(Number);
// The `engines` entry of package.json says the same.
if (found[0] < 20 || (found[0] === 20 && found[1] < 9)) {
  // At once: process.exit would not wait for it.
  require('fs').writeSync(
    2,
    'vigil setup: Vigil needs Node.js 20.9 or newer, and this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). Install a newer one, for example with your package manager or nvm, and try again.\n',
  );
  process.exit(69);
}
