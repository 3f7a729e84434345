#!/usr/bin/env node
/** The front door: `node dist/main.js [word] [options]`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HELP, readArguments } from './commands/arguments';
import { EXIT } from './commands/exit-codes';
import { ConfigurationError } from './config/faults';
import { redactText } from './config/url';
import { Fault } from './protocol/fault';

const PACKAGE_DIR = path.resolve(__dirname, '..');

async function main(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv, PACKAGE_DIR);
  if (args.help) return say(HELP);
  if (args.version) return say(`${version()}\n`);
  // Each word loads only what it needs.
  switch (args.word) {
    case 'check':
      return say(`${(await import('./commands/check')).check(args)}\n`);
    case 'status':
      return say(`${await (await import('./commands/status')).status(args)}\n`);
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

function say(text: string): number {
  process.stdout.write(text);
  return EXIT.clean;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(path.join(PACKAGE_DIR, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigurationError) return EXIT.configuration;
  if (!(error instanceof Fault)) return EXIT.failed;
  switch (error.code) {
    case 'usage':
      return EXIT.usage;
    case 'bad-url':
    case 'no-camera':
      return EXIT.configuration;
    case 'no-daemon':
      return EXIT.noDaemon;
    case 'missing-program':
    case 'data-directory':
    case 'port-in-use':
    case 'no-endpoints':
    case 'no-ledger':
    case 'cannot-save':
      return EXIT.unavailable;
    default:
      return EXIT.failed;
  }
}

main(process.argv.slice(2)).then(
  // What an actor framework leaves behind must not keep an ended program alive.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`vigil: ${redactText(error instanceof Error ? error.message : String(error))}\n`);
    process.exit(exitCodeOf(error));
  },
);
