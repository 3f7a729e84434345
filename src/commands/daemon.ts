/** The daemon: from arguments to a running tree, from a signal to an orderly end. */
import { loadTopology } from '../config/load';
import { openLog, surviveClosedOutput, type Log } from '../log/log';
import { Fault } from '../protocol/fault';
import { DataDirectory } from '../supervisor/data-directory';
import { missingPrograms, type MissingProgram } from '../supervisor/services/programs';
import { Supervisor } from '../supervisor/supervisor';
import type { Arguments } from './arguments';
import { EXIT } from './exit-codes';

/**
 * Runs until a signal ends it; resolves with the exit code.
 * @throws ConfigurationError, or a Fault when something needed cannot be had
 */
export async function runDaemon({ config, dataDir }: Arguments): Promise<number> {
  surviveClosedOutput();
  const topology = loadTopology(config, process.env);
  const missing = missingPrograms(topology);
  if (missing.length > 0) throw new Fault('missing-program', missingSentence(missing));
  const log = openLog('supervisor', topology.logLevel);
  const stop = stopRequest(log);
  const data = await DataDirectory.open(dataDir, (holder) => {
    log.info(`waiting for ${holder} to leave ${dataDir}`);
  });
  log.info('starting', { config, dataDir, cameras: topology.cameras.length });
  const supervisor = new Supervisor({
    topology,
    data,
    log,
    onReady: () => {
      announceReady(log, data);
    },
  });
  try {
    await Promise.race([supervisor.start(), stop]);
    await stop;
  } finally {
    await supervisor.stop();
    data.close();
  }
  log.info('stopped');
  return EXIT.clean;
}

/**
 * npm hands Ctrl-C on to a daemon that the terminal has told already: signals so soon after the first are the same
 * wish (1 ms was measured).
 */
const SAME_WISH_MS = 500;

/** Settles at the first SIGTERM or SIGINT; a second one ends the process at once. */
async function stopRequest(log: Log): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      // Actors and servers end with this process: the kernel sees to it.
      if (askedAt !== undefined && Date.now() - askedAt > SAME_WISH_MS) process.exit(EXIT.failed);
      if (askedAt !== undefined) return;
      askedAt = Date.now();
      log.info(`${signal}: stopping; a second one ends at once`);
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** PM2 (`wait_ready`) counts the daemon as started from here. */
function announceReady(log: Log, data: DataDirectory): void {
  log.info(
    `ready: frames are stored and announced; clients find the servers in ${data.path('endpoints.json')}`,
  );
  process.send?.('ready');
}

function missingSentence(missing: readonly MissingProgram[]): string {
  const what = missing.map(({ program, why }) => `${program} (${why})`).join(', ');
  const packages = [...new Set(missing.map(({ program }) => DEBIAN_PACKAGES[program]))].join(' ');
  return `missing on this machine: ${what}; install it, on Debian and Ubuntu with: apt-get install ${packages}; or let npm start do so`;
}

const DEBIAN_PACKAGES: Readonly<Record<MissingProgram['program'], string>> = {
  ffmpeg: 'ffmpeg',
  'redis-server': 'redis-server',
  'rabbitmq-server': 'rabbitmq-server',
  setpriv: 'util-linux',
  flock: 'util-linux',
};
