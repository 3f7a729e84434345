/**
 * Builds the page: dist/page holds what the daemon serves at `/`. Every module of web/ becomes one ES module, types
 * stripped and nothing bundled; Preact and htm come from npm. Run after the compiler; `tsc -p web` checks the types.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const source = path.join(root, 'web');
const target = path.join(root, 'dist/page');

/** Our name of a vendored module, its file in node_modules, and the name other packages import it by. */
const VENDORED = [
  { name: 'preact.js', file: 'preact/dist/preact.module.js', specifier: 'preact' },
  { name: 'hooks.js', file: 'preact/hooks/dist/hooks.module.js', specifier: 'preact/hooks' },
  { name: 'htm.js', file: 'htm/dist/htm.module.js', specifier: 'htm' },
  { name: 'html.js', file: 'htm/preact/index.module.js', specifier: 'htm/preact' },
];
const LICENSES = ['preact', 'htm'];
const SERVED_AS_IT_IS = /\.(?:css|svg)$/;
/** Replaced in index.html: the browser fetches all modules at once instead of one import after another. */
const PRELOADS = '<!-- modulepreload -->';

const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
const modules = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));

rmSync(target, { recursive: true, force: true });
mkdirSync(path.join(target, 'vendor'), { recursive: true });
await build({
  absWorkingDir: source,
  entryPoints: modules,
  outdir: target,
  outbase: source,
  tsconfig: path.join(source, 'tsconfig.json'),
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
});
for (const name of files.filter((file) => SERVED_AS_IT_IS.test(file)))
  cpSync(path.join(source, name), path.join(target, name));
for (const { name, file } of VENDORED) writeFileSync(path.join(target, 'vendor', name), vendored(file));
for (const name of LICENSES)
  cpSync(
    path.join(root, 'node_modules', name, 'LICENSE'),
    path.join(target, 'vendor', `LICENSE.${name}.txt`),
  );
writeFileSync(path.join(target, 'index.html'), indexPage());

/** Replaces package names, which a browser cannot resolve, by the names of the files in the same folder. */
function vendored(file) {
  const text = readFileSync(path.join(root, 'node_modules', file), 'utf8');
  return text
    .replace(/\bfrom"([^"]+)"/g, (whole, specifier) => {
      const known = VENDORED.find((other) => other.specifier === specifier);
      return known === undefined ? whole : `from"./${known.name}"`;
    })
    .replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function indexPage() {
  const scripts = modules.map((name) => name.replace(/\.ts$/, '.js')).filter((name) => name !== 'main.js');
  const vendor = VENDORED.map(({ name }) => `vendor/${name}`);
  const links = [...scripts, ...vendor].sort().map((name) => `<link rel="modulepreload" href="${name}" />`);
  return readFileSync(path.join(source, 'index.html'), 'utf8').replace(PRELOADS, links.join('\n    '));
}
