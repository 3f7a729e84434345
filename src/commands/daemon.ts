/** The daemon: from arguments to a running tree, from a signal to an orderly end. */
import { clockUnsetMessage, isClockUnset } from '../clock/machine-clock';
import { parseTopology, readConfiguration } from '../config/load';
import type { Topology } from '../config/topology';
import { isSameContent, watchContent, type FileContent } from '../config/watch';
import { keepLines, openLog, type Log } from '../log/log';
import { endProcess } from '../os/output';
import { closeInTurn, type Step } from '../os/close-in-turn';
import { shareCompiledCode } from '../os/compile-cache';
import { ServiceManager } from '../os/service-manager';
import { ExitFault } from '../fault/fault';
import { ControlSocket, type Control } from '../control/server';
import { cameraName } from '../supervisor/actor-specs';
import { DataDirectory } from '../supervisor/data-directory';
import { deliveryOf, problemsOf } from '../supervisor/health';
import type { FleetFile } from '../supervisor/fleet-file';
import { LiveConfiguration } from '../supervisor/live-configuration';
import { Operations } from '../supervisor/operations';
import { missingPrograms, missingSentence } from '../supervisor/programs';
import { Supervisor } from '../supervisor/supervisor';
import { UnverifiedCameras } from '../supervisor/unverified-cameras';
import type { Fleet } from '../fleet/fleet';
import { Ending } from './ending';
import type { Places } from './options';
import { EXIT } from './exit-codes';
import { runAs } from './run-as';

export interface DaemonOptions extends Places {
  /** Takes the namespace from another daemon. */
  readonly force: boolean;
}

/**
 * Runs until a signal ends it; resolves with the exit code.
 * @throws ConfigurationError, or a Fault when something needed is unavailable
 */
export async function runDaemon({ config, dataDir, force }: DaemonOptions): Promise<number> {
  const text = readConfiguration(config);
  const topology = parseTopology(text, config, process.env);
  if (topology.user !== undefined) runAs(topology.user, { config, dataDir });
  const missing = missingPrograms(topology);
  if (missing.length > 0) throw new ExitFault('missing-program', missingSentence(missing));
  keepLines();
  const log = openLog('supervisor', topology.logLevel);
  if (process.pid === 1) log.warn(NO_INIT, { code: 'no-init' });
  if (process.getuid?.() === 0) log.warn(AS_ROOT, { code: 'root' });
  process.on('uncaughtException', (error) => {
    log.error(`internal error, shutting down: ${error.message}`, {
      code: 'bug',
      stack: error.stack,
    });
    // The state of the process can no longer be trusted. Frames are safe in the spool, and actors end with it.
    void endProcess(EXIT.failed);
  });
  const ending = new Ending(log);
  const manager = ServiceManager.of(process.env, (message) => log.warn(message));
  void manager.lost.then(() => ending.abandoned());
  const data = await DataDirectory.open(dataDir, (holder) =>
    log.info(`waiting for ${holder} to release ${dataDir}`),
  );
  const opened: Step[] = [
    {
      what: 'the service manager',
      close: () => manager.close(),
    },
    {
      what: 'the data directory',
      close: () => data.close(),
    },
  ];
  let code: number = EXIT.failed;
  try {
    code = await runUntilAsked({ config, text, topology, data, force, log, ending, manager, opened });
  } finally {
    await closeInTurn(opened.toReversed()).catch((error: unknown) => {
      log.error(`the daemon did not stop cleanly: ${(error as Error).message}`, { code: 'stop-failed' });
      code = EXIT.failed;
    });
    log.info('stopped');
  }
  return code;
}

interface Run extends Omit<DaemonOptions, 'dataDir'> {
  /** Text of the configuration. */
  readonly text: string;
  readonly topology: Topology;
  readonly data: DataDirectory;
  readonly log: Log;
  readonly ending: Ending;
  readonly manager: ServiceManager;
  /** Receives the parts to be closed, in the order of their opening. */
  readonly opened: Step[];
}

/** Resolves with the exit code once there is a reason to end. */
async function runUntilAsked(run: Run): Promise<number> {
  const { config, text, topology, data, force, log, ending, manager, opened } = run;
  const { dir: dataDir } = data;
  if (data.isOpenToOthers)
    log.warn(
      `every user of this machine may write to ${dataDir} and replace what is in it; run chmod o-w ${dataDir}`,
      { code: 'data-directory-open' },
    );
  shareCompiledCode(data.folder('compile-cache'));
  const { user, cameras } = topology;
  log.info('starting', { config, dataDir, cameras: cameras.length, ...(user === undefined ? {} : { user }) });
  const unverified = new UnverifiedCameras(log);
  unverified.log(cameras);
  const supervisor = new Supervisor({
    topology,
    data,
    log,
    force,
    onReady: () => {
      log.info(
        `ready: frames are stored and announced; the addresses of the servers are in ${data.path('endpoints.json')}`,
      );
      manager.ready();
    },
    onEscalation: (fault) => ending.escalate(fault),
    onCaptured: (frame) => fleet?.captured(frame),
  });
  const fleet: Fleet | undefined =
    topology.fleet &&
    (await import('../supervisor/fleet-node')).fleetNode({
      ...{ spec: topology.fleet, supervisor, data, log, environment: process.env },
      shared: (): FleetFile | undefined => fleetFile,
      onRefused: (fault) => ending.escalate(fault),
    });
  const fleetFile: FleetFile | undefined =
    fleet &&
    new (await import('../supervisor/fleet-file')).FleetFile({
      ...{ file: config, shared: fleet.shared, data, log },
    });
  const configuration = new LiveConfiguration({
    file: config,
    text,
    environment: process.env,
    supervisor,
    missing: missingPrograms,
    log,
    fleet: fleetFile,
    onTaken: ({ cameras }) => {
      unverified.log(cameras);
      fleet?.changed();
    },
  });
  const operations = new Operations(configuration, supervisor, log);
  const control = await ControlSocket.open(
    dataDir,
    controlOf(supervisor, configuration, operations, ending, fleet),
    log,
  );
  opened.push({ what: 'the control socket', close: () => control.close() });
  opened.push({ what: 'the supervisor', close: () => supervisor.stop() });
  if (fleet !== undefined) opened.push({ what: 'the fleet', close: () => fleet.stop() });
  const watching = new AbortController();
  opened.push({
    what: 'the configuration watcher',
    close: () => watching.abort(),
  });
  opened.push({
    what: 'the notification of the service manager',
    close: () => manager.stopping(),
  });
  const started = supervisor.start();
  process.on('SIGHUP', () => void started.then(() => manager.reload(() => configuration.reload())));
  await Promise.race([started, ending.wish]);
  fleet?.start();
  void configuration.watch(watching.signal);
  const { endpointsFile } = topology.fleet ?? {};
  if (endpointsFile !== undefined) void followEndpoints(endpointsFile, configuration, watching.signal);
  return ending.wish;
}

/** The other daemon's servers have new passwords after each of its starts; while it is down, its file is missing. */
async function followEndpoints(
  file: string,
  configuration: LiveConfiguration,
  signal: AbortSignal,
): Promise<void> {
  // The file may have changed since the configuration was read: its first content is applied.
  let taken: FileContent | undefined;
  const isTaken = (content: FileContent) =>
    'error' in content || (taken !== undefined && isSameContent(content, taken));
  const take = async (content: FileContent) => {
    taken = content;
    await configuration.reload();
  };
  await watchContent(file, isTaken, take, signal);
}

function controlOf(
  supervisor: Supervisor,
  configuration: LiveConfiguration,
  operations: Operations,
  ending: Ending,
  fleet: Fleet | undefined,
): Control {
  const startedAtMs = Date.now();
  return {
    status: () => {
      const children = supervisor.status();
      const delivery = deliveryOf(children, supervisor.lastConfirmAtMs);
      const observed = { ready: supervisor.isReady, configuration: configuration.state, children, delivery };
      return {
        pid: process.pid,
        startedAtMs,
        ...observed,
        ...(fleet && { fleet: fleet.member }),
        problems: problemsOf(observed, Date.now()),
        ...(isClockUnset(Date.now()) ? { clockUnset: clockUnsetMessage(Date.now()) } : {}),
      };
    },
    cameras: () => supervisor.cameras,
    figures: () => supervisor.figures,
    queues: () => supervisor.queues(),
    plan: ({ text, file }) => configuration.plan(text, file),
    operations,
    logs: {
      kept: keepLines(),
      names: () => [
        ...supervisor.status().map(({ name }) => name),
        ...supervisor.cameras.map(({ id }) => cameraName(id)),
      ],
    },
    ...(fleet && {
      fleet: {
        status: () => fleet.status(),
        drain: () => {
          void fleet.drain().then((left) => ending.drained(left));
          return fleet.cameras;
        },
      },
    }),
  };
}

const AS_ROOT =
  'the daemon runs as root, and so do the embedded servers and ffmpeg, which parses what cameras send; none of them needs it: set "user" in the configuration, or start the daemon as another user, as systemd/vigil.service does (docs/security.md)';

/** Node reaps its own children only, and Linux makes process 1 the parent of every orphan. */
const NO_INIT =
  'the daemon is process 1 and does not reap orphaned processes: zombies will accumulate; start it under an init, with docker run --init, or with tini as the Dockerfile does';
