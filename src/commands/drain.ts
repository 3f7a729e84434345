/** `drain`: has the running daemon give its cameras to the other nodes of its fleet, and waits for its end. */
import { setTimeout as delay } from 'node:timers/promises';
import { askDaemon } from '../control/client';
import type { DrainAnswer } from '../control/protocol';
import { ExitFault, faultRecord } from '../fault/fault';
import { print } from '../os/output';
import { EXIT } from './exit-codes';

const LOOK_MS = 200;

/**
 * Resolves with the exit code when the daemon has ended.
 * @throws ExitFault `no-daemon`, `not-permitted`, or `daemon-refused` if it is not in a fleet
 */
export async function drain({
  dataDir,
  json,
}: {
  readonly dataDir: string;
  readonly json: boolean;
}): Promise<number> {
  const answer = (await askDaemon(dataDir, '/drain', {})) as DrainAnswer;
  if (answer.kind === 'alone')
    throw new ExitFault(
      'daemon-refused',
      'the daemon is not in a fleet: no other node can take its cameras; end it with SIGTERM',
    );
  const { cameras } = answer;
  if (!json) await print(`draining: ${cameras} ${cameras === 1 ? 'camera' : 'cameras'} to give away\n`);
  while (await isThere(dataDir)) await delay(LOOK_MS);
  await print(json ? `${JSON.stringify({ cameras, ended: true }, null, 2)}\n` : 'the daemon has ended\n');
  return EXIT.clean;
}

async function isThere(dataDir: string): Promise<boolean> {
  try {
    await askDaemon(dataDir, '/fleet');
    return true;
  } catch (error) {
    return faultRecord(error, '').code === 'daemon-silent';
  }
}
