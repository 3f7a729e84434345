/** Another commit of this repository, built in a temporary folder. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '..');

export interface OtherCommit {
  readonly hash: string;
  /** Its entry, compiled. */
  readonly main: string;
  remove(): void;
}

/** @throws when there is no such commit, or it cannot be installed or built */
export function buildCommit(ref: string): OtherCommit {
  const hash = git('rev-parse', '--short', '--verify', `${ref}^{commit}`);
  const parent = mkdtempSync(path.join(tmpdir(), 'vigil-compare-'));
  const folder = path.join(parent, 'checkout');
  const remove = () => {
    git('worktree', 'remove', '--force', folder);
    rmSync(parent, { recursive: true });
  };
  git('worktree', 'add', '--quiet', '--detach', folder, hash);
  try {
    if (lockOf(folder) === lockOf(ROOT))
      symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    else run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder);
    run('npm', ['run', '--silent', 'build'], folder);
  } catch (error) {
    remove();
    throw error;
  }
  return { hash, main: path.join(folder, 'dist/main.js'), remove };
}

function lockOf(folder: string): string {
  return readFileSync(path.join(folder, 'package-lock.json'), 'utf8');
}

function git(...args: string[]): string {
  return run('git', args, ROOT).trim();
}

function run(program: string, args: readonly string[], cwd: string): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
