/** `check`: validates a configuration and starts nothing. */
import { loadTopology } from '../config/load';
import type { ServerSpec } from '../config/topology';
import { redactUrl } from '../url/url';
import { throwIfNotPermitted } from '../os/access';
import { print } from '../os/output';
import { descriptorLimit } from '../os/descriptor-limit';
import { PICTURE_BYTES, sizingOf, type Sizing } from '../supervisor/sizing';
import { missingPrograms } from '../supervisor/programs';
import { EXIT } from './exit-codes';
import type { Places } from './options';
import { table } from './table';

/**
 * Prints a summary of the configuration and what it requires; resolves with the exit code.
 * @throws ConfigurationError when it is not valid; ExitFault `not-permitted`
 */
export async function check({ config }: Places): Promise<number> {
  await print(`${checkText(config)}\n`);
  return EXIT.clean;
}

function checkText(config: string): string {
  throwIfNotPermitted(config);
  const topology = loadTopology(config, process.env);
  const missing = missingPrograms(topology).map(
    ({ program, why }) => `note: ${program} is not installed here (${why})`,
  );
  return [
    `${config} is valid.`,
    `cameras: ${topology.cameras.map(({ id }) => id).join(', ') || 'none enabled'}`,
    `redis: ${server(topology.redis)}`,
    `rabbitmq: ${server(topology.rabbitmq)}, queue ${topology.queue.name}`,
    ...sizingLines(sizingOf(topology)),
    ...missing,
  ].join('\n');
}

/** For an assumed picture size, which is printed: the real one is not known before cameras run. */
function sizingLines({ pictures, redisBytes, spool, processes, descriptors }: Sizing): string[] {
  const { node, ffmpeg, servers } = processes;
  const each = `${PICTURE_BYTES / 1000} kB per picture`;
  const limit = descriptorLimit();
  return [
    `requirements, at ${each}:`,
    ...table([
      [
        '  redis memory',
        `${megabytes(redisBytes)} for ${pictures} pictures, the maximum within frames.expireMs`,
      ],
      ...(spool === undefined
        ? []
        : [
            [
              '  spool',
              `holds the frames of an outage of ${Math.floor(spool.seconds)} s (limit: spool.${spool.bound})`,
            ],
          ]),
      [
        '  processes',
        `${node + ffmpeg + servers}: ${node} node, up to ${ffmpeg} ffmpeg, ${servers} embedded servers`,
      ],
      [
        '  descriptors',
        `${descriptors} open files in the daemon${limit === undefined ? '' : `; this shell allows ${limit}`}`,
      ],
    ]),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function server(spec: ServerSpec): string {
  return spec.kind === 'embedded' ? 'embedded' : redactUrl(spec.url);
}
