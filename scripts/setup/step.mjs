/** Runs one command of the set-up: shows that it is alive, keeps its last output, and passes on a stop request. */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { Stopped } from './failure.mjs';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Between a request to end and force: npm ci in the middle of unpacking does not heed the request. */
const FORCE_AFTER_MS = 2000;
/** A terminal shows the passing seconds; a log gets an occasional line. */
const TICK_MS = process.stderr.isTTY ? 1000 : 10_000;
const PIPES_AFTER_EXIT_MS = 1000;
const KEPT_OUTPUT = 64 * 1024;
const SHOWN_LINES = 15;

/** stdout belongs to the daemon, whose log lines may go through a pipe. */
export function say(text) {
  process.stderr.write(`vigil setup: ${text}\n`);
}

/**
 * @param {string} title what is being done, as in "installing npm packages"
 * @param {string[]} command program and arguments
 * @param {object} options
 * @param {string} [options.cwd]
 * @param {import('./lock.mjs').Lock} [options.lock] kept as long as the command runs, even if we are killed
 * @param {boolean} [options.uninterruptible] a request to stop waits for the end of the command
 * @param {string[]} [options.privilege] what the command was prefixed with to run as root
 * @returns {Promise<{code: number, output: string, error?: NodeJS.ErrnoException}>} code -1: killed or not started
 * @throws Stopped when a signal came in the meantime, once the command has ended
 */
export async function runStep(title, [program, ...args], options = {}) {
  const progress = showProgress(title);
  let child;
  // Before the command starts: a signal in between would end us and leave the command running.
  const stops = passOnStops(() => child?.pid, progress, options);
  child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe', options.lock?.descriptor ?? 'ignore'],
    // A process group of its own: Ctrl-C reaches us alone, and we end the command with all its children.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => {
      output = (output + chunk).slice(-KEPT_OUTPUT);
      progress.heard(output);
    });
  const result = await ended(child);
  const stoppedBy = stops.end();
  progress.end(stoppedBy !== undefined ? 'stopped' : result.code === 0 ? 'done' : 'failed');
  if (stoppedBy !== undefined) throw new Stopped(constants.signals[stoppedBy]);
  return { ...result, output };
}

/** Never rejects. A server that a package started may keep our pipes open for ever: the wait for them is limited. */
function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: -1, error }));
    child.once('exit', (code) => {
      const finish = () => {
        clearTimeout(late);
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ code: code ?? -1 });
      };
      const late = setTimeout(finish, PIPES_AFTER_EXIT_MS);
      child.once('close', finish);
    });
  });
}

/** From here to `end()`, a signal that would end us ends the command first. `end()` returns the one received, if any. */
function passOnStops(pid, progress, { uninterruptible = false, privilege = [] }) {
  let stoppedBy;
  let force;
  const onStop = (signal) => {
    stoppedBy ??= signal;
    if (uninterruptible)
      return progress.note('told to stop: waiting for this to end, or it would be left half done');
    endGroup(pid(), 'SIGTERM', privilege);
    force ??= setTimeout(() => endGroup(pid(), 'SIGKILL', privilege), FORCE_AFTER_MS);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onStop);
  return {
    end() {
      for (const signal of STOP_SIGNALS) process.removeListener(signal, onStop);
      clearTimeout(force);
      return stoppedBy;
    },
  };
}

/** Shows the last output of a failed command, indented, before our own sentence. */
export function showLastLines(output) {
  const lines = output.trim().split(/[\r\n]+/);
  for (const line of lines.slice(-SHOWN_LINES)) process.stderr.write(`  | ${line}\n`);
}

function endGroup(pid, signal, privilege) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // A group that sudo runs as root is ended as it was started, by sudo.
    if (error.code === 'EPERM' && privilege.length > 0)
      spawnSync(privilege[0], [...privilege.slice(1), 'kill', `-${signal.slice(3)}`, '--', `-${pid}`]);
  }
}

function showProgress(title) {
  const startedAt = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  const onTerminal = process.stderr.isTTY;
  let lastLine = '';
  const show = () => {
    const line = `vigil setup: ${title}, ${seconds()}${lastLine === '' ? '' : `: ${lastLine}`}`;
    // Cut to the width, since a wrapped line cannot be overwritten; escape sequences would spoil the count.
    if (onTerminal) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
    else process.stderr.write(`${line}\n`);
  };
  if (onTerminal) show();
  else say(title);
  const timer = setInterval(show, TICK_MS);
  return {
    heard(output) {
      const plain = stripVTControlCharacters(output.slice(-400));
      lastLine =
        plain
          .split(/[\r\n]+/)
          .findLast((line) => line.trim() !== '')
          ?.trim() ?? '';
    },
    note(text) {
      if (onTerminal) process.stderr.write('\r\x1b[K');
      say(text);
    },
    end(outcome) {
      clearInterval(timer);
      if (onTerminal) process.stderr.write('\r\x1b[K');
      say(`${title}: ${outcome}, ${seconds()}`);
    },
  };
}
