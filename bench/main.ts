/** `npm run bench -- [NAME] [options]`: runs bench/NAME.ts, `capture` when no name is given. */
import { endProcess } from '../src/os/output';

const [name = 'capture', ...rest] = process.argv.slice(2);
const named = !name.startsWith('-');
process.argv.splice(2, Infinity, ...(named ? rest : [name, ...rest]));

import(`./${named ? name : 'capture'}`).catch((error: unknown) => {
  process.stderr.write(`bench ${name}: ${(error as Error).message}\n`);
  void endProcess(1, Infinity);
});
