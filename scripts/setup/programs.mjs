/** The programs of the system: ffmpeg and the servers. Installed where we may, named exactly where we may not. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findPrivilege, installDebianPackages, notInstalled } from './debian.mjs';
import { SetupFailure } from './failure.mjs';
import {
  BROWSER,
  BROWSER_PROGRAMS,
  DEBIAN_TEST_PACKAGES,
  installCommand,
  missingProgramsMessage,
  missingTestToolsMessage,
  packagesFor,
  SYSTEMS,
} from './packages.mjs';
import { say } from './step.mjs';

/** Ensures what the daemon needs for its configuration; commands of vigil that run no daemon need nothing. */
export async function ensureProgramsForStart(root, daemonArgs) {
  const configuration = configurationOf(root, daemonArgs);
  if (configuration === undefined) return;
  const missing = await missingPrograms(root, configuration);
  if (missing.length === 0) return;
  const system = findSystem();
  const privilege = system?.name === 'apt' ? findPrivilege() : undefined;
  if (privilege === undefined) throw new SetupFailure(missingProgramsMessage(missing, system, isRoot()));

  const packages = notInstalled(
    packagesFor(
      missing.map(({ program }) => program),
      'apt',
    ),
  );
  if (packages.length > 0)
    await installDebianPackages(packages, privilege, installCommand(system, packages, isRoot()));
  const stillMissing = packages.length > 0 ? await missingPrograms(root, configuration) : missing;
  if (stillMissing.length > 0) throw new SetupFailure(notFoundThoughInstalled(stillMissing));
}

/** Everything the tests run, whatever the configuration says. */
export async function ensureProgramsForTest() {
  const system = findSystem();
  const debian = system?.name === 'apt';
  const packages = DEBIAN_TEST_PACKAGES.filter((name) => name !== BROWSER || !hasBrowser());
  const missing = debian ? notInstalled(packages) : missingTestTools();
  if (missing.length === 0) return;
  const privilege = debian ? findPrivilege() : undefined;
  if (privilege === undefined) throw new SetupFailure(missingTestToolsMessage(missing, system, isRoot()));
  await installDebianPackages(missing, privilege, installCommand(system, missing, isRoot()));
}

/** Asks the built code, which knows the configuration and where it looks for programs. */
async function missingPrograms(root, configuration) {
  const require = createRequire(path.join(root, 'package.json'));
  try {
    const { loadTopology } = require('./dist/config/load.js');
    const { missingPrograms: look } = require('./dist/supervisor/programs.js');
    return await look(await loadTopology(configuration, process.env));
  } catch (error) {
    // The daemon itself reports what is wrong with its configuration.
    if (error.code !== 'invalid-configuration')
      say(`could not look for the programs needed: ${error.message}`);
    return [];
  }
}

/**
 * What the daemon will make of its arguments; it reports the faults in them itself.
 * @returns {string | undefined} its configuration, undefined when no daemon will run
 */
function configurationOf(root, args) {
  const options = {
    config: { type: 'string' },
    'data-dir': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
  };
  const { values, positionals } = parseArgs({ args, options, strict: false, allowPositionals: true });
  const [word = 'daemon'] = positionals;
  if (word !== 'daemon' || values.help || values.version) return undefined;
  // start.sh has changed to the caller's folder, so that a relative path means the same here and in the daemon.
  return typeof values.config === 'string' ? path.resolve(values.config) : path.join(root, 'actors.json');
}

function notFoundThoughInstalled(missing) {
  const lines = missing.map(({ program, why }) => `  ${program} (${why})`);
  return [
    'its package is installed, and still this was not found:',
    ...lines,
    'Look at PATH, and at program paths in the configuration.',
  ].join('\n');
}

/** On systems without dpkg-query, tests for missing tools by running them. */
function missingTestTools() {
  const needed = [
    ...['ffmpeg', 'redis-server', 'rabbitmq-server', 'openssl', 'ps', 'python3'],
    ...['prometheus', 'promtool', 'etcd'],
  ];
  const programs = needed.filter((p) => !isOnPath(p));
  const modules = {
    pika: 'import pika',
    redis: 'import redis',
    'gst-rtsp-server with PyGObject': "import gi; gi.require_version('GstRtspServer', '1.0')",
  };
  const missing = Object.keys(modules).filter(
    (name) => spawnSync('python3', ['-c', modules[name]]).status !== 0,
  );
  const browsers = hasBrowser() ? [] : ['chromium or google-chrome'];
  return [...programs, ...browsers, ...missing.map((name) => `${name} for Python 3`)];
}

function hasBrowser() {
  return BROWSER_PROGRAMS.some((program) => isOnPath(program));
}

function findSystem() {
  return SYSTEMS.find(({ program }) => isOnPath(program));
}

function isRoot() {
  return process.getuid?.() === 0;
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
