/** `check`: validates a configuration and starts nothing. */
import { ConfigurationError } from '../config/faults';
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
import { PLAIN, styleOf, type Style } from './style';
import { table, wrap } from './table';

/**
 * Prints a summary of the configuration and what it requires; resolves with the exit code.
 * @throws ConfigurationError if it is not valid and the output is not JSON; ExitFault `not-permitted`
 */
export async function check({ config, json }: Places & { readonly json: boolean }): Promise<number> {
  throwIfNotPermitted(config);
  if (!json) {
    await print(`${checkText(config, checkReport(config), styleOf(process.stdout, process.env))}\n`);
    return EXIT.clean;
  }
  const answer = jsonOf(config);
  await print(`${JSON.stringify(answer, null, 2)}\n`);
  return answer.valid ? EXIT.clean : EXIT.configuration;
}

interface CheckReport {
  readonly cameras: readonly string[];
  readonly redis: string;
  readonly rabbitmq: string;
  readonly queue: string;
  readonly requirements: Sizing & { readonly bytesPerPicture: number };
  /** Programs that this machine does not have. */
  readonly missing: readonly { readonly program: string; readonly why: string }[];
}

function checkReport(config: string): CheckReport {
  const topology = loadTopology(config, process.env);
  return {
    cameras: topology.cameras.map(({ id }) => id),
    redis: server(topology.redis),
    rabbitmq: server(topology.rabbitmq),
    queue: topology.queue.name,
    requirements: { bytesPerPicture: PICTURE_BYTES, ...sizingOf(topology) },
    missing: missingPrograms(topology).map(({ program, why }) => ({ program, why })),
  };
}

function jsonOf(file: string): { readonly valid: boolean } {
  try {
    return { ...{ file, valid: true }, ...checkReport(file) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { ...{ file, valid: false }, ...{ faults: error.faults } };
  }
}

/** The report as text for people. */
export function checkText(config: string, report: CheckReport, { width }: Style = PLAIN): string {
  const { cameras, redis, rabbitmq, queue, requirements, missing } = report;
  const wrapped = (lines: readonly string[]) => lines.flatMap((line) => wrap(line, '  ', width));
  return [
    ...wrapped([
      `${config} is valid.`,
      `cameras: ${cameras.join(', ') || 'none enabled'}`,
      `redis: ${redis}`,
      `rabbitmq: ${rabbitmq}, queue ${queue}`,
    ]),
    ...sizingLines(requirements, width),
    ...wrapped(missing.map(({ program, why }) => `note: ${program} is not installed here (${why})`)),
  ].join('\n');
}

/** Assumes a picture size, which is printed: the real one is unknown until cameras run. */
function sizingLines(
  { pictures, redisBytes, spool, processes, descriptors }: Sizing,
  width: number,
): string[] {
  const { node, ffmpeg, servers } = processes;
  const each = `${PICTURE_BYTES / 1000} kB per picture`;
  const limit = descriptorLimit();
  return [
    `requirements, at ${each}:`,
    ...table(
      [
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
      ],
      width,
    ),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function server(spec: ServerSpec): string {
  return spec.kind === 'embedded' ? 'embedded' : redactUrl(spec.url);
}
