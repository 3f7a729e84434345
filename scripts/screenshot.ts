/**
 * `npm run screenshot -- --data-dir DIR`: writes what `status` prints of the running daemon to docs/images/status.svg, the
 * picture of README.md. Exit 1 where no daemon runs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { terminalSvg } from '../lab/terminal-svg';

const ROOT = path.resolve(__dirname, '..');
const IMAGE = path.join(ROOT, 'docs/images/status.svg');
const COMMAND = 'node dist/main.js status';

const options = process.argv.slice(2);
const { stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', 'status', ...options], {
  cwd: ROOT,
  encoding: 'utf8',
});
if (stdout === '') {
  process.stderr.write(stderr);
  process.exitCode = 1;
} else {
  mkdirSync(path.dirname(IMAGE), { recursive: true });
  writeFileSync(IMAGE, terminalSvg(COMMAND, stdout));
}
