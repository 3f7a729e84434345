/** dist/, compiled from src/, the bundle of a camera's process, and the page. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { EXIT_BUILD, SetupFailure } from './failure.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';
import { runStep } from './step.mjs';

const PROJECT = 'tsconfig.build.json';
const BUNDLER = 'scripts/bundle.mjs';
const PAGE_BUILDER = 'scripts/page.mjs';
/** Packages that decide what dist/ holds: those behind esbuild are part of the bundle or of the page. */
const BUILT_WITH = ['typescript', 'esbuild', 'comedy', 'underscore', 'preact', 'htm'];
const OUTPUT = /\.(?:js|d\.ts)(?:\.map)?$/;

const stampFile = (root) => path.join(root, 'dist', '.vigil-setup');

export function buildIsCurrent(root) {
  return readStamp(stampFile(root)) === sources(root);
}

/** @throws SetupFailure when the sources do not compile; the compiler's output has been shown by then */
export async function build(root, lock) {
  // Taken before compiling: what is edited meanwhile differs from it, and is compiled next time.
  const stamp = sources(root);
  // Without a stamp, files may be missing from dist/; tsc writes all of them only without its build information.
  if (readStamp(stampFile(root)) === undefined) rmSync(path.join(root, 'dist/.tsbuildinfo'), { force: true });
  removeStamp(stampFile(root));
  const command = [process.execPath, path.join(root, 'node_modules/typescript/bin/tsc'), '-p', PROJECT];
  const { code, output } = await runStep('compiling', command, { cwd: root, lock });
  if (code !== 0) {
    process.stderr.write(output);
    throw new SetupFailure('the sources do not compile; the compiler says why above', EXIT_BUILD);
  }
  removeOrphans(root);
  await run('bundling', BUNDLER, 'the sources cannot be bundled', root, lock);
  await run('building the page', PAGE_BUILDER, 'the page cannot be built', root, lock);
  writeStamp(stampFile(root), stamp);
}

async function run(title, script, failure, root, lock) {
  const { code, output } = await runStep(title, [process.execPath, path.join(root, script)], {
    cwd: root,
    lock,
  });
  if (code === 0) return;
  process.stderr.write(output);
  throw new SetupFailure(`${failure}; esbuild says why above`, EXIT_BUILD);
}

/** All that decides what dist/ holds, one line each: changed, added and removed files all make a difference. */
function sources(root) {
  const configs = readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
  const others = [...configs, BUNDLER, PAGE_BUILDER].map((name) => path.join(root, name));
  const folders = ['src', 'web'].flatMap((name) => filesBelow(path.join(root, name)));
  const lines = [...folders, ...others].sort().map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${path.relative(root, file)} ${size} ${mtimeMs}`;
  });
  const versions = BUILT_WITH.map((name) => `${name} ${versionOf(root, name)}`);
  return [...lines, ...versions, ''].join('\n');
}

function versionOf(root, name) {
  try {
    return JSON.parse(readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return 'none';
  }
}

/** Removes output of sources that no longer exist, which would still be loaded, tested and packed. */
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
