/** Which packages carry the programs Vigil needs, on each kind of system, and how a person installs them. */

/**
 * A program stands for its package where none is named. Fedora itself has ffmpeg-free (the full one is in RPM
 * Fusion); Arch has Valkey in the place of Redis, under both names; on macOS, util-linux comes without flock.
 */
const PACKAGES = {
  ffmpeg: { dnf: 'ffmpeg-free' },
  'redis-server': { dnf: 'redis', apk: 'redis', pacman: 'valkey', zypper: 'redis', brew: 'redis' },
  'rabbitmq-server': { pacman: 'rabbitmq', brew: 'rabbitmq' },
  etcd: { apt: 'etcd-server' },
  setpriv: {
    apt: 'util-linux',
    dnf: 'util-linux',
    pacman: 'util-linux',
    zypper: 'util-linux',
    brew: 'util-linux',
  },
  flock: { apt: 'util-linux', dnf: 'util-linux', pacman: 'util-linux', zypper: 'util-linux' },
};

/** In the order of the search; `program` on PATH identifies the system. */
export const SYSTEMS = [
  { name: 'apt', program: 'apt-get', asRoot: true, command: 'apt-get install -y --no-install-recommends' },
  { name: 'dnf', program: 'dnf', asRoot: true, command: 'dnf install -y' },
  { name: 'apk', program: 'apk', asRoot: true, command: 'apk add' },
  { name: 'pacman', program: 'pacman', asRoot: true, command: 'pacman -S --needed' },
  { name: 'zypper', program: 'zypper', asRoot: true, command: 'zypper install' },
  { name: 'brew', program: 'brew', asRoot: false, command: 'brew install' },
];

/** Debian packages of the programs that the tests always run. */
const TESTED_SERVERS = ['ffmpeg', 'redis-server', 'rabbitmq-server'];
/** For the tests of the page. On Ubuntu this package is a snap, which a container has not; Chrome does as well. */
export const BROWSER = 'chromium';
export const BROWSER_PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** A real RTSP server (GStreamer's, with certificates for rtsps), a detection service in another language, an init. */
const TEST_TOOLS = [
  'python3-gi',
  'gir1.2-gst-rtsp-server-1.0',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-bad',
  'glib-networking',
  'prometheus', // with promtool: the alerts and the metrics
  'etcd-server', // three nodes of it carry a fleet
  'iproute2', // hosts of a fleet's fault table
  'python3-celery', // tasks that a worker takes
  'python3-numpy',
  'python3-opencv', // the detectors of examples/
  'python3-pika',
  'python3-pil',
  'python3-redis',
  'mypy', // the Python package's types
  'openssl',
  'procps',
  BROWSER,
  'tini',
];
export const DEBIAN_TEST_PACKAGES = [...TESTED_SERVERS, ...TEST_TOOLS];

/** @returns {string[]} each package once, in the order of the programs */
export function packagesFor(programs, systemName) {
  return [...new Set(programs.map((program) => PACKAGES[program]?.[systemName] ?? program))];
}

/** The line a person types; `system` is one of {@link SYSTEMS}. */
export function installCommand(system, packages, isRoot) {
  const sudo = system.asRoot && !isRoot ? 'sudo ' : '';
  const update = system.name === 'apt' ? `${sudo}apt-get update && ` : '';
  return `${update}${sudo}${system.command} ${packages.join(' ')}`;
}

/**
 * The advice to an operator whose machine lacks programs that Vigil may not install.
 * @param {{program: string, why: string}[]} missing
 * @param {object | undefined} system one of {@link SYSTEMS}, undefined when none is known
 */
export function missingProgramsMessage(missing, system, isRoot) {
  const width = Math.max(...missing.map(({ program }) => program.length));
  const programs = missing.map(({ program }) => program);
  return [
    'this machine lacks what the configuration needs:',
    ...missing.map(({ program, why }) => `  ${program.padEnd(width)}  ${why}`),
    ...(system === undefined
      ? ['Install these programs with your package manager.']
      : [
          'Install what is missing:',
          `  ${installCommand(system, packagesFor(programs, system.name), isRoot)}`,
        ]),
    ...serverAdvice(programs),
    'Or run everything in containers (compose.yaml says which passwords to set first):',
    '  docker compose up',
  ].join('\n');
}

/** Where the configuration names a server that runs already, by the program of one of our own. */
const SERVER_KEYS = { 'redis-server': '"redis"', 'rabbitmq-server': '"rabbitmq"', etcd: '"fleet.etcd"' };

function serverAdvice(programs) {
  const keys = programs.map((program) => SERVER_KEYS[program]).filter((key) => key !== undefined);
  if (keys.length === 0) return [];
  const named = new Intl.ListFormat('en-GB').format(keys);
  const what = keys.length === 1 ? 'a server' : 'servers';
  return [`Or name ${what} that you have as ${named} in the configuration.`];
}

/** The same for the tests, which use much that is packaged well on Debian and Ubuntu only. */
export function missingTestToolsMessage(missing, system, isRoot) {
  const debian = system?.name === 'apt';
  return [
    `the tests need ${missing.join(', ')}.`,
    ...(debian ? ['Install what is missing:', `  ${installCommand(system, missing, isRoot)}`] : []),
    `${debian ? 'Or run' : 'Run'} the tests in a container, which installs what they need:`,
    '  docker run --rm -v "$PWD":/clone:ro node:24-bookworm sh -c ' +
      "'cp -r /clone /vigil && cd /vigil && npm test'",
  ].join('\n');
}
