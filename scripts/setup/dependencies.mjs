/** node_modules, as package-lock.json says. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SetupFailure } from './failure.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';
import { runStep, showLastLines } from './step.mjs';

/** `--include=dev`: the compiler is among them, and NODE_ENV=production would leave it out. */
const NPM_CI = ['ci', '--include=dev', '--no-audit', '--no-fund'];
/** npm's messages for "no answer from the registry", name resolution and certificates included. */
const NETWORK_CODE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ESOCKETTIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|E50\d|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)\b/;

const KEPT_LINES = 8;

const stampFile = (root) => path.join(root, 'node_modules', '.vigil-setup');

export function dependenciesAreCurrent(root) {
  return readStamp(stampFile(root)) === wanted(root);
}

/** @throws SetupFailure when npm fails */
export async function installDependencies(root, lock) {
  const stamp = wanted(root);
  removeStamp(stampFile(root));
  // --loglevel: `npm start --silent` passes its level on to us, and a failure would have no message.
  const command = [...npm(), ...NPM_CI, '--loglevel=error'];
  const { code, output, error } = await runStep('installing npm packages (npm ci)', command, {
    cwd: root,
    lock,
  });
  if (code !== 0) throw explain(root, output, error);
  writeStamp(stampFile(root), stamp);
}

/** The platform is part of it: a folder shared with a container or copied to another machine has the wrong binaries. */
function wanted(root) {
  const lockFile = path.join(root, 'package-lock.json');
  const hash = createHash('sha256').update(readLockFile(lockFile)).digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function readLockFile(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SetupFailure(
      `cannot read ${file} (${error.code}); it belongs to the source: restore it, then try again`,
    );
  }
}

/** The npm that runs us, if one does: PATH may not lead to it. pnpm and yarn set the same variable. */
function npm() {
  const own = process.env.npm_execpath ?? '';
  return path.basename(own) === 'npm-cli.js' ? [process.execPath, own] : ['npm'];
}

function explain(root, output, error) {
  if (error?.code === 'ENOENT')
    return new SetupFailure('npm was not found; it comes with Node.js: install it, then try again');
  showLastLines(plain(output));
  const network = NETWORK_CODE.exec(output)?.[0];
  const cause = network === undefined ? 'see npm above' : `the npm registry could not be reached: ${network}`;
  return new SetupFailure(
    `the npm packages could not be installed (${cause}). By hand: cd ${root} && npm ${NPM_CI.join(' ')}`,
  );
}

/** npm's error without stack, usage and empty lines, which it indents. */
function plain(output) {
  const lines = output.split('\n').filter((line) => !/^npm error(\s{2,}|\s*$)/.test(line));
  return lines.slice(0, KEPT_LINES).join('\n'); // The cause comes first.
}
