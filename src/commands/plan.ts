/** `plan`: what another configuration would change in the running daemon. */
import { ConfigurationError } from '../config/faults';
import { readConfiguration } from '../config/load';
import type { PlanAnswer, PlanRequest } from '../control/protocol';
import type { Change, Plan } from '../supervisor/plan';
import { throwIfNotPermitted } from '../os/access';
import { print } from '../os/output';
import { askDaemon } from '../control/client';
import { EXIT } from './exit-codes';
import type { Places } from './options';
import { PLAIN, styleOf, type Style } from './style';
import { wrap } from './table';

/**
 * Asks the daemon, which knows what runs and resolves references in its own environment. Prints the answer;
 * resolves with the exit code.
 * @throws ConfigurationError when the daemon would not apply the file; ExitFault `no-daemon`
 */
export async function plan({ config, dataDir, json }: Places & { readonly json: boolean }): Promise<number> {
  throwIfNotPermitted(config);
  const request: PlanRequest = { file: config, text: readConfiguration(config) };
  const answer = (await askDaemon(dataDir, '/plan', request)) as PlanAnswer;
  if (answer.kind === 'refused') throw new ConfigurationError(answer.file, answer.faults, answer.refusal);
  await print(
    `${json ? JSON.stringify(answer.plan, null, 2) : planText(answer.plan, styleOf(process.stdout, process.env))}\n`,
  );
  return EXIT.clean;
}

/** A line for each child that is affected, and one line for all others. */
export function planText({ start, stop, restart, adjust, leave }: Plan, { width }: Style = PLAIN): string {
  const changed = (verb: string) => (change: Change) =>
    `${verb}  ${change.name}  (${change.because.join(', ')})`;
  return [
    ...start.map((name) => `start    ${name}`),
    ...stop.map((name) => `stop     ${name}`),
    ...restart.map(changed('restart')),
    ...adjust.map(changed('adjust ')),
    `leave    ${leave.length === 0 ? 'nothing' : leave.join(', ')}`,
  ]
    .flatMap((line) => wrap(line, ' '.repeat('restart  '.length), width))
    .join('\n');
}
