/** `plan`: what a configuration in place of the present one would change in the running daemon. */
import { ConfigurationError } from '../config/faults';
import { readConfiguration } from '../config/load';
import type { PlanAnswer, PlanRequest } from '../supervisor/control-socket';
import type { Change, Plan } from '../supervisor/plan';
import type { Arguments } from './arguments';
import { askDaemon } from './ask-daemon';

/**
 * Asks the daemon, which knows what runs and has the environment that counts.
 * @throws ConfigurationError when it would not take the file over; Fault `no-daemon`
 */
export async function plan({ config, dataDir, json }: Arguments): Promise<string> {
  const request: PlanRequest = { file: config, text: readConfiguration(config) };
  const answer = (await askDaemon(dataDir, '/plan', request)) as PlanAnswer;
  if (answer.kind === 'refused') throw new ConfigurationError(answer.file, answer.faults, answer.refusal);
  return json ? JSON.stringify(answer.plan, null, 2) : planText(answer.plan);
}

/** A line for each child that is touched, and those that are not in one. */
export function planText({ start, stop, restart, adjust, leave }: Plan): string {
  const changed = (verb: string) => (change: Change) =>
    `${verb}  ${change.name}  (${change.because.join(', ')})`;
  return [
    ...start.map((name) => `start    ${name}`),
    ...stop.map((name) => `stop     ${name}`),
    ...restart.map(changed('restart')),
    ...adjust.map(changed('adjust ')),
    `leave    ${leave.length === 0 ? 'nothing' : leave.join(', ')}`,
  ].join('\n');
}
