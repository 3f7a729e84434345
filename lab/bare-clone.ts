/** A clone of the package as git would give it, on a machine of our own making: a PATH of stand-ins that record their calls. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

const SCRIPTS = path.resolve(__dirname, '../scripts');
/** Real programs that the shell scripts call. */
const REAL_PROGRAMS = [
  'sh',
  'env',
  'dirname',
  'cat',
  'grep',
  'chmod',
  'rm',
  'mkdir',
  'sleep',
  'true',
  'flock',
];

/** Lays node_modules with a compiler stand-in: each src/X.ts is already JavaScript, and "broken" does not compile. */
const NPM = `
echo "npm $*" >>"$RECORD"
if [ -e npm-fails ]; then cat npm-fails >&2; exit 1; fi
if [ -e npm-takes ]; then echo $$ >npm-pid; sleep "$(cat npm-takes)"; fi
mkdir -p node_modules/typescript/bin
echo '{"version":"1"}' >node_modules/typescript/package.json
cat compiler.js >node_modules/typescript/bin/tsc
mkdir -p node_modules/esbuild
echo '{"version":"1"}' >node_modules/esbuild/package.json
cat esbuild.js >node_modules/esbuild/index.js
for file in preact/dist/preact.module.js preact/hooks/dist/hooks.module.js htm/dist/htm.module.js htm/preact/index.module.js preact/LICENSE htm/LICENSE
do mkdir -p "$(dirname "node_modules/$file")"; echo 'from"preact"' >"node_modules/$file"; done
`;
/** Says what the bundle is made from; an entry that is "unbundled" cannot be. */
const ESBUILD = `
const fs = require('node:fs');
exports.build = async ({ absWorkingDir, entryPoints, outdir, outfile }) => {
  const [entry] = entryPoints;
  if (outdir) return entryPoints.forEach((name) => buildModule(absWorkingDir, name, outdir));
  const text = fs.readFileSync(entry, 'utf8');
  if (text.includes('unbundled')) throw new Error(entry + ': no bundle');
  fs.mkdirSync(require('node:path').dirname(outfile), { recursive: true });
  fs.writeFileSync(outfile, 'bundle of ' + text);
};
function buildModule(folder, name, outdir) {
  const text = fs.readFileSync(folder + '/' + name, 'utf8');
  if (text.includes('broken')) throw new Error(name + ': no module');
  fs.writeFileSync(outdir + '/' + name.replace('.ts', '.js'), 'module of ' + text);
}`;
const COMPILER = `
const fs = require('node:fs');
const path = require('node:path');
fs.appendFileSync(process.env.RECORD, 'tsc\\n');
for (const entry of fs.readdirSync('src', { recursive: true })) {
  const file = String(entry);
  if (!file.endsWith('.ts')) continue;
  const text = fs.readFileSync(path.join('src', file), 'utf8');
  if (text.includes('broken')) { console.log('src/' + file + '(1,1): error'); process.exit(2); }
  const target = path.join('dist', file.replace('.ts', '.js'));
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, text);
}
`;
const LOAD = `
exports.loadTopology = (file) => {
  try { return JSON.parse(require('node:fs').readFileSync(file, 'utf8')); }
  catch { throw Object.assign(new Error('not a configuration'), { code: 'invalid-configuration' }); }
};`;
/** The configuration of these tests names the missing programs itself; what apt-get "installed" is no longer missing. */
const PROGRAMS = `
const { readFileSync } = require('node:fs');
exports.missingPrograms = async ({ missing }) => {
  const installed = readFileSync(process.env.INSTALLED, 'utf8').split('\\n');
  const packageOf = (name) => ['setpriv', 'flock'].includes(name) ? 'util-linux' : name;
  return missing.filter((p) => p === 'never-found' || !installed.includes(packageOf(p))).map((program) => ({ program, why: 'for ' + program }));
};`;

/** Finds packages only with up-to-date lists where "apt-outdated" exists; says whether a policy forbids starting servers. */
const APT_GET = `
while [ "$1" = -o ]; do shift 2; done
echo "apt-get $*$(test -e "$POLICY" && echo ' [servers forbidden]')" >>"$RECORD"
if [ -e apt-takes ]; then echo started >apt-started; sleep "$(cat apt-takes)"; fi
if [ "$1" = update ]; then rm -f apt-outdated; exit 0; fi
if [ -e apt-outdated ]; then echo 'E: Unable to fetch some archives' >&2; exit 100; fi
case "$*" in *--download-only*) exit 0 ;; esac
for word in "$@"; do echo "$word" >>"$INSTALLED"; done
case "$*" in *rabbitmq-server*) echo erlang-base >>"$INSTALLED" ;; esac
if [ -e apt-breaks ]; then exit 100; fi
`;
const DPKG_QUERY = `
shift 3
for name in "$@"; do if grep -qxF "$name" "$INSTALLED"; then echo "$name installed"; fi; done
`;
/** Loaded before the set-up: makes it believe to be an ordinary user, or to run on an old Node. */
const PRETEND = `
if (process.env.PRETEND_USER) process.getuid = () => 1000;
if (process.env.PRETEND_ROOT) process.getuid = () => 0;
const node = process.env.PRETEND_NODE;
if (node) Object.defineProperty(process, 'versions', { value: { ...process.versions, node } });
`;

export interface SetupRun {
  readonly code: number | null;
  /** stdout and stderr as they came. */
  readonly said: string;
}

export class BareClone {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'vigil-clone-'));
  readonly policy = path.join(this.folder, 'policy-rc.d');
  readonly #bin = path.join(this.folder, 'bin');

  constructor() {
    cpSync(SCRIPTS, path.join(this.folder, 'scripts'), { recursive: true });
    // The machine's own policy is left alone.
    const debian = path.join(this.folder, 'scripts/setup/debian.mjs');
    writeFileSync(debian, readFileSync(debian, 'utf8').replace('/usr/sbin/policy-rc.d', this.policy));
    this.write('package.json', '{"name":"vigil"}');
    this.write('package-lock.json', '{}');
    this.write('tsconfig.build.json', '{}');
    this.write('compiler.js', COMPILER);
    this.write('esbuild.js', ESBUILD);
    this.write('src/comedy/bundled-camera.ts', '');
    this.write('web/index.html', '<!-- modulepreload -->');
    this.write('web/main.ts', '');
    this.write('pretend.cjs', PRETEND);
    this.write('src/config/load.ts', LOAD);
    this.write('src/supervisor/programs.ts', PROGRAMS);
    this.write('src/main.ts', '');
    this.write('installed', '');
    this.write('record', '');
    this.configure([]);
    mkdirSync(this.#bin);
    symlinkSync(process.execPath, path.join(this.#bin, 'node'));
    for (const name of REAL_PROGRAMS) symlinkSync(locate(name), path.join(this.#bin, name));
    this.program('npm', NPM);
  }

  write(file: string, text: string): void {
    const target = path.join(this.folder, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }

  read(file: string): string {
    return readFileSync(path.join(this.folder, file), 'utf8');
  }

  has(file: string): boolean {
    return existsSync(path.join(this.folder, file));
  }

  remove(file: string): void {
    rmSync(path.join(this.folder, file), { recursive: true, force: true });
  }

  /** Writes actors.json; the daemon would miss these programs. */
  configure(missing: readonly string[], file = 'actors.json'): void {
    this.write(file, JSON.stringify({ missing }));
  }

  /** Puts a stand-in on PATH. */
  program(name: string, script: string): void {
    const file = path.join(this.#bin, name);
    writeFileSync(file, `#!/bin/sh\n${script}`);
    chmodSync(file, 0o755);
  }

  /** Makes it a Debian. */
  debian(): void {
    this.program('apt-get', APT_GET);
    this.program('dpkg-query', DPKG_QUERY);
    this.program('systemctl', 'echo "systemctl $*" >>"$RECORD"');
  }

  /** The calls of stand-ins since the last time. */
  calls(): string[] {
    const lines = this.read('record').split('\n').slice(0, -1);
    this.write('record', '');
    return lines;
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const env = {
      PATH: this.#bin,
      NODE_OPTIONS: `--require=${path.join(this.folder, 'pretend.cjs')}`,
      RECORD: path.join(this.folder, 'record'),
      INSTALLED: path.join(this.folder, 'installed'),
      POLICY: this.policy,
      ...environment,
    };
    const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'];
    const child = spawn(args[0] ?? '', args.slice(1), { cwd: this.folder, env, stdio });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(child, 'close').then(([code]): SetupRun => ({ code: code as number | null, said }));
    return { child, ended };
  }

  async setup(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<SetupRun> {
    return this.start(['node', 'scripts/setup.mjs', ...args], environment).ended;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Gone when the test ends. */
export function bareClone(test: TestContext): BareClone {
  const clone = new BareClone();
  test.after(() => clone.dispose());
  return clone;
}

/** Sets it up, and forgets the calls that this made. */
export async function ready(clone: BareClone): Promise<void> {
  const { code, said } = await clone.setup(['start']);
  if (code !== 0) throw new Error(said);
  clone.calls();
}

function locate(program: string): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const found = folders.map((folder) => path.join(folder, program)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`no ${program} on PATH`);
  return found;
}
