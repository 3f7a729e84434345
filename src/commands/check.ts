/** `check`: validates a configuration and starts nothing. */
import { loadTopology } from '../config/load';
import type { ServerSpec } from '../config/topology';
import { redactUrl } from '../config/url';
import { missingPrograms } from '../supervisor/services/programs';
import type { Arguments } from './arguments';

/** What the configuration says, in a few lines. Throws ConfigurationError when it is not valid. */
export function check({ config }: Arguments): string {
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
