/** Runs a benchmark on a Redis and a RabbitMQ of its own, and ends the process. */
import { execFileSync } from 'node:child_process';
import { withPrivateServers } from '../scripts/private-servers';
import { endProcess } from '../src/os/output';
import { findFfmpeg } from '../src/supervisor/ffmpeg-program';

/**
 * @param name for the sentence that states why it could not be run
 * @param work resolves with false if a goal was missed: exit code 1, as when it could not be run
 */
export function runBench(name: string, work: () => Promise<unknown>): void {
  withPrivateServers(async (variables) => {
    Object.assign(process.env, variables);
    return work();
  }).then(
    (met) => endProcess(met === false ? 1 : 0, Infinity),
    (error: unknown) => {
      process.stderr.write(`${name}: ${(error as Error).message}\n`);
      void endProcess(1, Infinity);
    },
  );
}

/** Version of the ffmpeg that a daemon with this `configured` one, or none, uses. */
export function ffmpegVersion(configured: string | undefined): string {
  const said = execFileSync(findFfmpeg(configured) ?? 'ffmpeg', ['-version'], { encoding: 'utf8' });
  return /^ffmpeg version (\S+)/.exec(said)?.[1] ?? 'unknown';
}
