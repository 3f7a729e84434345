/** README and docs: each code block is compiled, checked or parsed by the tool of its language, and each link resolves. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Value } from '@sinclair/typebox/value';
import ts from 'typescript';
import { parseTopology } from '../../src/config/load';
import * as contract from '../../src/contract';
import * as kit from '../../src/consumer';
import { codeBlocks, type CodeBlock } from '../../lab/code-blocks';

const ROOT = path.resolve(__dirname, '../..');

const pages = ['.', 'docs', 'bench', '.github']
  .filter((folder) => existsSync(path.join(ROOT, folder)))
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: folder !== '.', encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(ROOT, folder, name)),
  );

/** Programs that check a script on standard input without running it. */
const SYNTAX_CHECKS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  sh: ['sh', '-n'],
  python: ['/usr/bin/python3', '-c', 'import ast, sys; ast.parse(sys.stdin.read())'],
};

function checkSyntax(language: string, text: string): void {
  const [program, ...args] = SYNTAX_CHECKS[language] ?? assert.fail();
  execFileSync(program, args, { input: text, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Source files of the libraries, the package and its dependencies, parsed once for all blocks. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Type-checks a block as a module of a program that has the package installed. */
function checkTypeScript({ file, line, text }: CodeBlock): void {
  const name = path.join(ROOT, `${path.basename(file)}.${line}.mts`);
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    esModuleInterop: true,
    types: ['node'],
    paths: {
      vigil: [path.join(ROOT, 'src/consumer/index.ts')],
      'vigil/contract': [path.join(ROOT, 'src/contract/index.ts')],
    },
  };
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  host.fileExists = (asked) => asked === name || fileExists(asked);
  host.getSourceFile = (asked, ...rest) => {
    if (asked === name) return ts.createSourceFile(name, text, ts.ScriptTarget.ES2022);
    if (!parsed.has(asked)) parsed.set(asked, getSourceFile(asked, ...rest));
    return parsed.get(asked);
  };
  const program = ts.createProgram([name], options, host);
  const source = program.getSourceFile(name);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  assert.deepEqual(
    found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    [],
  );
}

const SOURCES = ['url', 'still', 'file', 'test'];

/** Checks a whole actors.json, a camera, a part of a camera, or an event. */
function checkJson(text: string): void {
  const value = JSON.parse(text) as Record<string, unknown>;
  if ('specversion' in value) {
    assert.deepEqual([...Value.Errors(contract.FrameSampled, value)], []);
    return;
  }
  // A notice.
  if (String(value['type']).startsWith('vigil.')) return;
  const source = SOURCES.some((key) => key in value) ? {} : { url: 'rtsps://camera/' };
  const camera = { id: 'one', ...source, ...value };
  const isConfiguration =
    'cameras' in value || ['redis', 'rabbitmq', 'frames', 'queue', 'consumers'].some((key) => key in value);
  const configuration = isConfiguration ? { cameras: [], ...value } : { cameras: [camera] };
  const variables = [...text.matchAll(/\$\{(\w+)\}/g)].map(
    ([, name = '']) => [name, name.endsWith('WEBHOOK_SECRET') ? `whsec_${'A'.repeat(40)}` : 'value'] as const,
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'vigil-docs-'));
  try {
    // "tls" in examples names a file beside actors.json.
    writeFileSync(path.join(folder, 'cameras.pem'), certificate());
    parseTopology(
      JSON.stringify(configuration),
      path.join(folder, 'actors.json'),
      Object.fromEntries(variables),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function certificate(): string {
  const request = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-subj',
    '/CN=camera',
  ];
  return execFileSync('openssl', request, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function checkBlock(block: CodeBlock): void {
  switch (block.language) {
    case 'ts':
      checkTypeScript(block);
      return;
    case 'json':
      checkJson(block.text);
      return;
    case 'jsonl':
      for (const line of block.text.trim().split('\n')) JSON.parse(line);
      return;
    case 'sh':
    case 'python':
      checkSyntax(block.language, block.text);
      return;
    case 'text':
      // Program output and drawings; code must not be labelled as text.
      assert.doesNotMatch(block.text, /^(?:\{|\[\{|import |export |#!|(?:npm|docker|curl|git) )/);
      return;
    default:
      assert.fail(`"${block.language}" is not a language this test checks; output is "text"`);
  }
}

describe('a code block', () => {
  const blocks = pages.flatMap((page) => codeBlocks(page));

  it('is found for every language that the pages use', () => {
    for (const language of ['ts', 'json', 'jsonl', 'sh', 'text'])
      assert.ok(
        blocks.some((block) => block.language === language),
        language,
      );
  });

  for (const block of blocks)
    it(`of ${path.relative(ROOT, block.file)}:${block.line} is valid ${block.language}`, () =>
      checkBlock(block));

  const broken: readonly [string, string][] = [
    ['ts', "import { consumeFrame } from 'vigil';\n"],
    ['ts', "import { frameKey } from 'vigil';\nconst key: number = frameKey('vigil', {});\n"],
    ['json', '{ "id": "gate", "url": "rtsp://camera/", "rtae": 2 }'],
    ['json', '{ "id": "gate", "url": }'],
    ['json', '{ "specversion": "1.0", "type": "vigil.frame.sampled.v1" }'],
    ['jsonl', '{}\n{'],
    ['sh', 'if true; then\n'],
    ['python', 'def f(:\n'],
    ['', 'vigil check'],
    ['indented', 'vigil check'],
    ['yaml', 'a: 1'],
    ['text', 'npm start'],
  ];
  for (const [language, text] of broken)
    it(`is refused (${language || 'of no language'}): ${text.slice(0, 40).trim()}`, () =>
      assert.throws(() => checkBlock({ file: 'README.md', line: 1, language, text })));
});

for (const example of ['consumer.py', 'celery/worker.py', 'celery/celeryconfig.py'])
  it(`examples/${example} compiles`, () =>
    checkSyntax('python', readFileSync(path.join(ROOT, 'examples', example), 'utf8')));

it('docs/consumer-kit.md has an entry for everything that the package exports', () => {
  const text = readFileSync(path.join(ROOT, 'docs/consumer-kit.md'), 'utf8');
  const missing = Object.keys({ ...kit, ...contract }).filter((name) => !text.includes(`\`${name}`));
  assert.deepEqual(missing, []);
});

it('each heading of docs/troubleshooting.md is a text of the program, apart from what "…" stands for', () => {
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(ROOT, 'src', name), 'utf8'))
    .join('\n')
    .replaceAll(/\s+/g, ' ');
  const page = readFileSync(path.join(ROOT, 'docs/troubleshooting.md'), 'utf8');
  const texts = [...page.matchAll(/^### (.*)$/gm)].flatMap(([, heading = '']) => heading.split(/…| \/ /));
  assert.ok(texts.length > 40);
  assert.deepEqual(
    texts.map((text) => text.trim()).filter((text) => !sources.includes(text)),
    [],
  );
});

it('every file or folder of the project that a page names exists', () => {
  const named = /`((?:src|test|scripts|bench|docs|examples|systemd)\/[\w./-]+)`/g;
  const missing = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(named)]
      .map(([, file = '']) => file)
      .filter((file) => !existsSync(path.join(ROOT, file)))
      .map((file) => `${path.relative(ROOT, page)}: ${file}`),
  );
  assert.deepEqual(missing, []);
});

describe('a link', () => {
  /** Anchors, derived from headings as on GitHub. */
  const anchors = (page: string) =>
    [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    );

  for (const page of pages)
    it(`of ${path.relative(ROOT, page)} leads to a page and heading that exist`, () => {
      const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
      const dead = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^(https?|mailto):/.test(target))
        .filter((target) => {
          const [file = '', anchor] = target.split('#');
          const where = file === '' ? page : path.resolve(path.dirname(page), file);
          return !existsSync(where) || (anchor !== undefined && !anchors(where).includes(anchor));
        });
      assert.deepEqual(dead, []);
    });
});
