#!/usr/bin/env node
/** The front door: `node dist/main.js [word] [options]`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HELP, readArguments, type Arguments } from './commands/arguments';
import { EXIT, exitCodeOf } from './commands/exit-codes';
import { redactText } from './config/url';
import { endProcess, LAST_WORDS_MS, print, printError, surviveStuckOutput } from './process/output';

const PACKAGE_DIR = path.resolve(__dirname, '..');

async function main(argv: readonly string[]): Promise<void> {
  let serves = false;
  let code: number;
  try {
    const args = readArguments(argv, PACKAGE_DIR);
    serves = args.word === 'daemon' || args.word === 'process';
    if (serves) surviveStuckOutput();
    code = await run(args);
  } catch (error) {
    const said = printError(`vigil: ${sentence(error)}\n`);
    // A command waits for its reader, a pager say; a service must end.
    if (!serves) await said;
    code = exitCodeOf(error);
  }
  // What an actor framework leaves behind must not keep an ended program alive.
  await endProcess(code, LAST_WORDS_MS);
}

/** Line by line: redaction cuts long texts, and a configuration may have thousands of faults. */
function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split('\n')
    .map((line) => redactText(line))
    .join('\n');
}

/** Resolves with the exit code. */
async function run(args: Arguments): Promise<number> {
  if (args.help) return say(HELP);
  if (args.version) return say(`${version()}\n`);
  // Each word loads only what it needs.
  switch (args.word) {
    case 'check':
      return say(`${(await import('./commands/check')).check(args)}\n`);
    case 'status':
      return (await import('./commands/status')).status(args);
    case 'plan':
      return say(`${await (await import('./commands/plan')).plan(args)}\n`);
    case 'ledger':
      return say(await (await import('./commands/ledger')).ledger(args));
    case 'probe':
      return (await import('./commands/probe')).probe(args);
    case 'process':
      return (await import('./commands/process')).runProcessCommand(args);
    case 'daemon':
      return (await import('./commands/daemon')).runDaemon(args);
  }
}

async function say(text: string): Promise<number> {
  await print(text);
  return EXIT.clean;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(path.join(PACKAGE_DIR, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

void main(process.argv.slice(2));
