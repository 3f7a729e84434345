/** A PM2 of one's own, with the daemon as the shipped ecosystem.config.cjs describes it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, spawnOwned, waitUntil, type OwnedProcess } from './process';

const ROOT = path.resolve(__dirname, '..');
/** What ecosystem.config.cjs was run with. Not a dependency: an installation of Vigil has its own PM2, or none. */
const PACKAGE = 'pm2@7.0.4';

export interface Pm2Options {
  /** Gets PM2_HOME, and holds the daemon's actors.json and data/. */
  readonly dir: string;
  /** Overrides of the shipped ecosystem.config.cjs. */
  readonly app?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Another app beside it, by the same ecosystem.config.cjs. */
  readonly beside?: Readonly<Record<string, unknown>>;
}

export class Pm2 {
  private constructor(
    private readonly program: OwnedProcess,
    private readonly script: string,
    private readonly home: string,
  ) {}

  /** Starts it in the foreground, so that it ends with this process, and the daemon below it. */
  static async start({ dir, app = {}, env = {}, beside }: Pm2Options): Promise<Pm2> {
    const home = path.join(dir, 'pm2');
    mkdirSync(home, { recursive: true });
    const script = await locate();
    const ecosystem = path.join(dir, 'ecosystem.config.cjs');
    writeFileSync(ecosystem, ecosystemText(dir, app, beside));
    const program = await spawnOwned('env', [
      ...variables({ ...env, PM2_HOME: home }),
      process.execPath,
      script,
      'start',
      ecosystem,
      '--no-daemon',
    ]);
    program.stdout.resume();
    const pm2 = new Pm2(program, script, home);
    await waitUntil('PM2 has started the daemon', () => pm2.daemonPid() !== undefined);
    return pm2;
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Undefined while it waits to start it again. */
  daemonPid(): number | undefined {
    try {
      return Number(readFileSync(path.join(this.home, 'pids', 'vigil-0.pid'), 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** What PM2 says of an app: its state, and how often it restarted it. */
  async app(name = 'vigil'): Promise<{ readonly status: string; readonly restarts: number }> {
    const { stdout } = await this.command('jlist');
    const apps = JSON.parse(stdout.slice(stdout.indexOf('['))) as {
      name: string;
      pm2_env: { status: string; restart_time: number };
    }[];
    const found = apps.find((app) => app.name === name)?.pm2_env;
    return { status: found?.status ?? 'unknown', restarts: found?.restart_time ?? 0 };
  }

  async command(...args: string[]): Promise<{ stdout: string }> {
    const result = await run('env', [`PM2_HOME=${this.home}`, process.execPath, this.script, ...args]);
    return { stdout: result.stdout.toString() };
  }

  /** SIGKILL to PM2 itself. */
  async crash(): Promise<void> {
    this.program.signal('SIGKILL');
    await this.program.exited;
  }

  /** `pm2 kill`: stops the daemon, then PM2. */
  async kill(): Promise<void> {
    await this.command('kill');
    await this.program.end();
  }
}

async function locate(): Promise<string> {
  // npm keeps it in its cache after the first time.
  const found = spawnSync('npm', ['exec', '--yes', `--package=${PACKAGE}`, '-c', 'command -v pm2'], {
    encoding: 'utf8',
  });
  const bin = found.stdout.trim();
  if (found.status !== 0 || bin === '') throw new Error(`npm could not bring ${PACKAGE}: ${found.stderr}`);
  return path.resolve(path.dirname(bin), '../pm2/bin/pm2');
}

function ecosystemText(dir: string, app: object, beside: object | undefined): string {
  const overrides = {
    args: ['--config', path.join(dir, 'actors.json'), '--data-dir', path.join(dir, 'data')],
    ...app,
  };
  return `const { apps: [app] } = require(${JSON.stringify(path.join(ROOT, 'ecosystem.config.cjs'))});
const others = ${JSON.stringify(beside === undefined ? [] : [beside])};
module.exports = { apps: [${JSON.stringify(overrides)}, ...others].map((other) => ({ ...app, ...other })) };
`;
}

function variables(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
