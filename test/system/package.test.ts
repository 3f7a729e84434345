/** The package as users get it: packed by npm, installed into an empty folder, used as a command and as a library. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { codeBlocks } from '../../lab/code-blocks';
import { defaultQueue } from '../../src/contract';
import { redis, servers, Stage } from '../../lab/consumer-stage';
import { picture } from '../../lab/one-picture';
import { waitUntil as until } from '../../lab/process';

const run = promisify(execFile);
const ROOT = path.resolve(__dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'vigil-package-'));
const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let packed: Packed;

/** Installs the package; links its dependencies if no registry can be reached, which must not fail the test. */
async function install(tarball: string): Promise<string> {
  try {
    await run('npm', [...INSTALL, tarball], { cwd: folder, timeout: 45_000 });
    return 'installed by npm';
  } catch (error) {
    rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
    const home = path.join(folder, 'node_modules/vigil');
    mkdirSync(home, { recursive: true });
    await run('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
    for (const name of readdirSync(path.join(ROOT, 'node_modules')).filter((entry) => !entry.startsWith('.')))
      if (name !== 'vigil')
        symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
    mkdirSync(path.join(folder, 'node_modules/.bin'));
    const main = path.join(home, 'dist/main.js');
    await run('chmod', ['+x', main]);
    symlinkSync(main, path.join(folder, 'node_modules/.bin/vigil'));
    return `unpacked, dependencies linked: npm said ${(error as Error).message.slice(0, 300)}`;
  }
}

before(async () => {
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  // dist/ was built by the set-up; other tests run from it, so it is not built again here.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  });
  [packed] = JSON.parse(stdout) as [Packed];
  console.log(await install(path.join(folder, packed.filename)));
});

after(() => rmSync(folder, { recursive: true, force: true }));

const vigil = (...args: string[]) => run(path.join(folder, 'node_modules/.bin/vigil'), args, { cwd: folder });
const node = (...args: string[]) => run(process.execPath, args, { cwd: folder });

describe('the packed package', () => {
  it('holds what users run and read, and no sources, tests or build notes', () => {
    const files = packed.files.map((file) => file.path);
    for (const file of [
      'dist/main.js',
      'dist/consumer/index.d.ts',
      'dist/contract/index.js',
      'dist/bundle/forked-actor-worker.js',
      'dist/page/index.html',
      'dist/page/vendor/preact.js',
      'actors.schema.json',
      'docs/asyncapi.json',
      'README.md',
    ])
      assert.ok(files.includes(file), `${file} is packed`);
    assert.deepEqual(
      files.filter((file) =>
        /^(src|test|bench|scripts|data|node_modules)\/|tsbuildinfo|\.vigil-setup|\.env/.test(file),
      ),
      [],
    );
  });

  it('has a command', async () => {
    assert.match((await vigil('--version')).stdout, new RegExp(version.replaceAll('.', '\\.')));
    writeFileSync(path.join(folder, 'actors.json'), '{ "cameras": [{ "id": "one", "test": "testsrc2" }] }');
    assert.match((await vigil('check', '--config', 'actors.json')).stdout, /actors\.json is valid/);
    writeFileSync(path.join(folder, 'wrong.json'), '{ "cameras": [{ "id": "one", "tset": "testsrc2" }] }');
    await assert.rejects(vigil('check', '--config', 'wrong.json'), { code: 78 });
  });

  it('can be required, and imported by name', async () => {
    const print = 'console.log(typeof consumeFrames, typeof decodeFrame, frameKey === key)';
    const names = '{ consumeFrames, decodeFrame, frameKey }';
    const required = `const ${names} = require('vigil'); const { frameKey: key } = require('vigil/contract'); ${print}`;
    assert.equal((await node('-e', required)).stdout, 'function function true\n');
    const imported = `import ${names} from 'vigil'; import { frameKey as key } from 'vigil/contract'; ${print}`;
    assert.equal((await node('--input-type=module', '-e', imported)).stdout, 'function function true\n');
    const schema = `console.log(require('vigil/asyncapi.json').asyncapi, require('vigil/actors.schema.json').type)`;
    assert.equal((await node('-e', schema)).stdout, '3.0.0 object\n');
  });

  it('starts actors without the polyfill that comedy loads, which changes globals', async () => {
    const load = `require('./node_modules/vigil/dist/comedy/lean.js'); require('babel-polyfill')`;
    assert.equal((await node('-e', `${load}; console.log(global._babelPolyfill)`)).stdout, 'undefined\n');
  });

  it('has types with which the examples of README and docs compile', async () => {
    const pages = ['README.md', 'docs/consumer-kit.md'].map((page) => path.join(ROOT, page));
    const examples = pages.flatMap((page) => codeBlocks(page)).filter(({ language }) => language === 'ts');
    assert.ok(examples.length > 1);
    const files = examples.map(({ text }, index) => {
      writeFileSync(path.join(folder, `types-${index}.mts`), text);
      return `types-${index}.mts`;
    });
    const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const types = ['--types', 'node', '--typeRoots', path.join(ROOT, 'node_modules/@types')];
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
    await node(compiler, ...options, ...types, ...files);
  });

  it('exports none of its internals', async () => {
    await assert.rejects(
      node('-e', `require('vigil/dist/supervisor/supervisor.js')`),
      /ERR_PACKAGE_PATH_NOT_EXPORTED/,
    );
  });

  it('runs the example of the README as printed', { timeout: 100_000 }, async (t) => {
    const example = codeBlocks(path.join(ROOT, 'README.md')).find(({ language }) => language === 'ts');
    assert.ok(example);
    const queue = defaultQueue('vigil');
    assert.ok(example.text.includes(queue));
    const stage = await Stage.open(t);
    await stage.channel.assertQueue(queue, { durable: true });
    mkdirSync(path.join(folder, 'data'));
    const endpoints = JSON.stringify({ redis: servers.redisUrl, amqp: servers.amqpUrl });
    writeFileSync(path.join(folder, 'data/endpoints.json'), endpoints);
    writeFileSync(path.join(folder, 'example.mts'), example.text);
    const tsx = path.join(ROOT, 'node_modules/tsx/dist/loader.mjs');
    const running = run(process.execPath, ['--import', `file://${tsx}`, 'example.mts'], { cwd: folder });
    t.after(() => running.child.kill('SIGKILL'));
    let said = '';
    for (const stream of [running.child.stdout, running.child.stderr])
      stream?.on('data', (text: string) => (said += text));
    const bytes = await picture('jpeg');
    const frame = stage.frame(bytes);
    await redis.set(stage.key(frame), bytes, 'PX', 60_000);
    stage.channel.sendToQueue(queue, stage.announcement(frame));
    await until('the example names the frame', () => said !== '');
    assert.equal(said, 'gate 64x48\n');
    await until('and removes it', async () => (await redis.exists(stage.key(frame))) === 0);
    // Unacknowledged messages would be redelivered, so the example closes its connections first.
    running.child.kill('SIGINT');
    await running;
    assert.equal((await stage.channel.checkQueue(queue)).messageCount, 0);
    await stage.channel.deleteQueue(queue);
  });
});
