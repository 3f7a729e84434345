/** Probes feeds on request of the API: each in a process of its own with a deadline, one at a time. */
import path from 'node:path';
import { withDeadline } from '../clock/sleep';
import { Fault } from '../fault/fault';
import { exitOf, forkChild, started, whyNotStarted } from '../os/child-process';
import { driverVariables } from '../os/driver-variables';
import { inheritedVariables } from '../os/inherited-variables';
import { liveWithParent } from '../os/orphans';
import type { ProbeOutcome, ProbeQuestion } from '../protocol/probe';

/** Named by its path, as all actors are. */
const PROGRAM = path.resolve(__dirname, '../actors/camera/probing');
/** Probes that may wait for the running one. */
const MAX_WAITING = 4;
/** Milliseconds a probe gets to start and to end, in addition to its own limit. */
const BESIDE_MS = 8000;

export class Prober {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(private readonly run: (question: ProbeQuestion) => Promise<ProbeOutcome> = runProbe) {}

  /** @throws Fault `too-many-probes`, `probe-failed` */
  async probe(question: ProbeQuestion): Promise<ProbeOutcome> {
    if (this.#waiting > MAX_WAITING)
      throw new Fault('too-many-probes', `${MAX_WAITING} probes are waiting already; try again in a minute`);
    this.#waiting++;
    const outcome = this.#last.then(() => this.run(question));
    this.#last = outcome.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return outcome;
  }
}

/** The question is sent over the channel: a command line with its URL could be read by all users of the machine. */
async function runProbe(question: ProbeQuestion): Promise<ProbeOutcome> {
  const wrapped = liveWithParent('KILL', { program: process.execPath, args: process.execArgv });
  const child = forkChild(PROGRAM, [], {
    execPath: wrapped.program,
    execArgv: [...wrapped.args],
    env: { ...driverVariables(process.env), ...inheritedVariables(process.env) },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = exitOf(child);
  const failed = await started(child);
  if (failed !== undefined)
    throw new Fault('probe-failed', `the probe could not be started: ${whyNotStarted(failed)}`);
  try {
    const answered = new Promise<ProbeOutcome | undefined>((resolve) => {
      child.once('message', (outcome) => resolve(outcome as ProbeOutcome));
      void exited.then(() => resolve(undefined));
    });
    child.send(question, () => undefined);
    const outcome = await withDeadline(answered, question.limitMs + BESIDE_MS);
    if (outcome === undefined) throw new Fault('probe-failed', 'the probe ended without a result; try again');
    return outcome;
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
