/** A real browser without a window: the Chromium of the system, driven over its debugging protocol. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** Names under which systems have one. */
const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @throws Error where the machine has none */
export function browserProgram(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const files = folders.flatMap((folder) => PROGRAMS.map((name) => path.join(folder, name)));
  const file = files.find(isExecutable);
  if (file === undefined) throw new Error(`no ${PROGRAMS.join(', ')} on PATH: install the package chromium`);
  return file;
}

/** @param env beside that of this process */
export async function startBrowser(env: Readonly<Record<string, string>> = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: browserProgram(),
    // Chromium refuses its sandbox to root; elsewhere it keeps it.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage'],
    env: { ...process.env, ...env },
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
