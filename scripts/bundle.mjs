/**
 * Bundles all that a camera's process loads into one file: dist/bundle/forked-actor-worker.js, with its source map. Run after
 * the compiler. Not minified: stack traces name the functions of the source.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const lean = {
  name: 'lean',
  setup({ onResolve, onLoad }) {
    const { STAND_INS: known } = require('../dist/comedy/stand-ins.js');
    onResolve({ filter: /^[\w:.-]+$/ }, ({ path: name, importer }) => {
      return isComedy(importer) && name in known ? { path: name, namespace: 'stand-in' } : undefined;
    });
    onLoad({ filter: /./, namespace: 'stand-in' }, ({ path: name }) => ({
      contents: `module.exports = require('./src/comedy/stand-ins').STAND_INS['${name}'];`,
      resolveDir: root,
    }));
  },
};

function isComedy(importer) {
  return importer.includes(`${path.sep}node_modules${path.sep}comedy${path.sep}`);
}

await build({
  absWorkingDir: root,
  entryPoints: ['src/comedy/bundled-camera.ts'],
  outfile: 'dist/bundle/forked-actor-worker.js',
  tsconfig: 'tsconfig.build.json',
  bundle: true,
  platform: 'node',
  target: 'node20.9',
  sourcemap: true,
  sourcesContent: false,
  // Loaded only when needed: native code, and the logger, which a camera that logs nothing does not need.
  external: ['sharp', 'winston'],
  plugins: [lean],
  logLevel: 'warning',
});
