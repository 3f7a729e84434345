#!/usr/bin/env node
/** Entry point: `node dist/main.js [command] [options]`. */
import { readCommandLine } from './commands/declared/command-line';
import { EXIT, exitCodeOf } from './commands/exit-codes';
import { endProcess, LAST_OUTPUT_MS, print, printError, surviveStuckOutput } from './os/output';
import { PACKAGE_DIR, packageVersion } from './os/own-package';

async function main(argv: readonly string[]): Promise<void> {
  let serves = false;
  let code: number;
  try {
    const asked = readCommandLine(argv, PACKAGE_DIR, packageVersion);
    serves = asked.kind === 'run' && asked.serves;
    if (serves) surviveStuckOutput();
    code = asked.kind === 'run' ? await asked.run() : await say(asked.text);
  } catch (error) {
    const said = printError(`vigil: ${await sentence(error)}\n`);
    // A command waits until its output has been read, for example by a pager; a service must end.
    if (!serves) await said;
    code = exitCodeOf(error);
  }
  // Handles left open by an actor framework must not keep a finished program running.
  await endProcess(code, LAST_OUTPUT_MS);
}

/** Line by line: redaction cuts long texts, and a configuration may have thousands of faults. */
async function sentence(error: unknown): Promise<string> {
  const { redactText } = await import('./url/redact');
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split('\n')
    .map((line) => redactText(line))
    .join('\n');
}

async function say(text: string): Promise<number> {
  await print(text);
  return EXIT.clean;
}

void main(process.argv.slice(2));
