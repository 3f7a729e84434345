/** `check`: validates a configuration and starts nothing. */
import { loadTopology } from '../config/load';
import type { ServerSpec } from '../config/topology';
import { redactUrl } from '../config/url';
import { throwIfNotPermitted } from '../process/access';
import { print } from '../process/output';
import { missingPrograms } from '../supervisor/services/programs';
import { EXIT } from './exit-codes';
import type { Places } from './options';

/** What the configuration says, in a few lines. Throws ConfigurationError when it is not valid. */
export async function check({ config }: Places): Promise<number> {
  await print(`${checkText(config)}\n`);
  return EXIT.clean;
}

function checkText(config: string): string {
  throwIfNotPermitted(config);
  const topology = loadTopology(config, process.env);
  const missing = missingPrograms(topology).map(
    ({ program, why }) => `note: ${program} is missing here (${why})`,
  );
  return [
    `${config} is valid.`,
    `cameras: ${topology.cameras.map(({ id }) => id).join(', ') || 'none enabled'}`,
    `redis: ${server(topology.redis)}`,
    `rabbitmq: ${server(topology.rabbitmq)}, queue ${topology.queue.name}`,
    ...missing,
  ].join('\n');
}

function server(spec: ServerSpec): string {
  return spec.kind === 'embedded' ? 'embedded' : redactUrl(spec.url);
}
