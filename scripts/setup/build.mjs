/** dist/, compiled from src/. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { EXIT_BUILD, SetupFailure } from './failure.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';
import { runStep } from './step.mjs';

const PROJECT = 'tsconfig.build.json';
const OUTPUT = /\.(?:js|d\.ts)(?:\.map)?$/;

const stampFile = (root) => path.join(root, 'dist', '.vigil-setup');

export function buildIsCurrent(root) {
  return readStamp(stampFile(root)) === sources(root);
}

/** @throws SetupFailure when the sources do not compile; the compiler's words have been shown by then */
export async function build(root, lock) {
  // Taken before compiling: what is edited meanwhile differs from it, and is compiled next time.
  const stamp = sources(root);
  // Without a stamp someone may have removed files from dist/; only without its memory does tsc write them all again.
  if (readStamp(stampFile(root)) === undefined) rmSync(path.join(root, 'dist/.tsbuildinfo'), { force: true });
  removeStamp(stampFile(root));
  const command = [process.execPath, path.join(root, 'node_modules/typescript/bin/tsc'), '-p', PROJECT];
  const { code, output } = await runStep('compiling', command, { cwd: root, lock });
  if (code !== 0) {
    process.stderr.write(output);
    throw new SetupFailure('the sources do not compile; the compiler says why above', EXIT_BUILD);
  }
  removeOrphans(root);
  writeStamp(stampFile(root), stamp);
}

/** All that decides what dist/ holds, one line each: changed, added and removed files all make a difference. */
function sources(root) {
  const configs = readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
  const lines = [...filesBelow(path.join(root, 'src')), ...configs.map((name) => path.join(root, name))]
    .sort()
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${path.relative(root, file)} ${size} ${mtimeMs}`;
    });
  return [...lines, `typescript ${compilerVersion(root)}`, ''].join('\n');
}

function compilerVersion(root) {
  try {
    return JSON.parse(readFileSync(path.join(root, 'node_modules/typescript/package.json'), 'utf8')).version;
  } catch {
    return 'none';
  }
}

/** What tsc left of sources that are gone: it would be loaded, tested and packed for ever. */
function removeOrphans(root) {
  const dist = path.join(root, 'dist');
  for (const file of filesBelow(dist)) {
    const source = path.join(root, 'src', path.relative(dist, file)).replace(OUTPUT, '.ts');
    if (OUTPUT.test(file) && !existsSync(source)) rmSync(file);
  }
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(file) : [file];
  });
}
