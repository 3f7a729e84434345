/** Shows something once a second, in place, until a signal ends it. */
import { sleep, unlessAborted } from '../clock/sleep';
import { ExitFault } from '../fault/fault';
import { surviveClosedOutput } from '../os/output';
import { ENDING_SIGNALS } from './ending-signals';
import { exitCodeOf } from './exit-codes';
import { Screen } from './screen';
import { heightOf, styleOf, type Style } from './style';
import { wrap } from './table';

const PERIOD_MS = 1000;

export interface Look {
  /** Exit code if the watch ends after this look. */
  readonly code: number;
  readonly text: (style: Style) => string;
}

/**
 * Resolves with the exit code of the last look.
 * @param look if it rejects, the error is shown as its sentence, unless it is the first look
 * @throws ExitFault `usage` without a terminal; the error of the first look
 */
export async function watch(look: () => Promise<Look>): Promise<number> {
  const { stdout, env } = process;
  if (!stdout.isTTY || env['TERM'] === 'dumb')
    throw new ExitFault(
      'usage',
      '--watch redraws a terminal, and standard output is none that can be redrawn; leave --watch out',
    );
  let seen = await look();
  surviveClosedOutput();
  const stopping = new AbortController();
  const [screen, draw] = [new Screen(), () => shown(screen, seen)];
  const unlisten = listen(stopping, screen, draw);
  try {
    await screen.open();
    while (!stopping.signal.aborted) {
      await draw();
      await sleep(PERIOD_MS, stopping.signal);
      seen = (await unlessAborted(look().catch(failed), stopping.signal)) ?? seen;
    }
  } finally {
    unlisten();
    await screen.close();
  }
  return seen.code;
}

async function shown(screen: Screen, { text }: Look): Promise<void> {
  await screen.draw(text(styleOf(process.stdout, process.env)).split('\n'), heightOf(process.stdout));
}

/** Shows the error and continues: the daemon may come back. */
function failed(error: unknown): Look {
  const { message } = error as Error;
  return {
    code: exitCodeOf(error),
    text: ({ width, paint }) =>
      wrap(message, '', width)
        .map((line) => paint('red', line))
        .join('\n'),
  };
}

/** Handles Ctrl-C, a resized terminal, Ctrl-Z and its end. @returns a function that removes the handlers */
function listen(stopping: AbortController, screen: Screen, draw: () => Promise<void>): () => void {
  const end = () => stopping.abort();
  const redraw = () => void draw().catch(end);
  const pause = () =>
    void screen
      .close()
      .then(() => process.kill(process.pid, 'SIGSTOP'))
      .catch(end);
  const goOn = () => void screen.open().then(draw).catch(end);
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  process.stdout.on('resize', redraw);
  process.on('SIGTSTP', pause).on('SIGCONT', goOn);
  return () => {
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
    process.stdout.off('resize', redraw);
    process.off('SIGTSTP', pause).off('SIGCONT', goOn);
  };
}
