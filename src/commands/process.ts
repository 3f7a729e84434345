/** `process`: the frame-process service, pointed at the servers the daemon uses. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ownedBy } from '../broker/listener';
import { loadTopology } from '../config/load';
import type { Topology } from '../config/topology';
import type { ConsumerOptions } from '../consumer/options';
import { runProcess } from '../consumer/process';
import { openLog } from '../log/log';
import { endProcess } from '../process/output';
import { Fault } from '../protocol/fault';
import { overSocket } from '../redis/address';
import { findFfmpeg } from '../supervisor/services/ffmpeg-program';
import type { Endpoints } from '../supervisor/data-directory';
import type { Arguments } from './arguments';
import { EXIT } from './exit-codes';

/** For the last lines of a process that is told twice to end, milliseconds. */
const AT_ONCE_MS = 200;

/**
 * Runs until a signal or `--count` ends it; resolves with the exit code.
 * @throws ConfigurationError, or Fault `no-endpoints` when the embedded servers are not running
 */
export async function runProcessCommand(args: Arguments): Promise<number> {
  const topology = loadTopology(args.config, process.env);
  const { redisUrl, amqpUrl } = servers(topology, args.dataDir);
  const log = openLog('process', topology.logLevel);
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping.signal.aborted) void endProcess(EXIT.failed, AT_ONCE_MS);
      stopping.abort();
    });
  const ffmpeg = findFfmpeg(topology.ffmpeg);
  await runProcess({
    amqpUrl,
    redisUrl,
    queue: topology.queue.name,
    ...(ffmpeg === undefined ? {} : { ffmpeg }),
    ...(args.out === undefined ? {} : { out: args.out }),
    ...(args.count === undefined ? {} : { count: args.count }),
    latestOnly: args.latest,
    signal: stopping.signal,
    log: (level, message, fields) => {
      log[level](message, fields);
    },
  });
  return EXIT.clean;
}

/** Embedded servers get a new password with every daemon: it is read before every connection. */
function servers(
  { redis, rabbitmq }: Topology,
  dataDir: string,
): Pick<ConsumerOptions, 'redisUrl' | 'amqpUrl'> {
  const file = path.join(dataDir, 'endpoints.json');
  const redisDir = path.resolve(dataDir, 'redis');
  if (redis.kind === 'embedded' || rabbitmq.kind === 'embedded') readEndpoints(file);
  return {
    redisUrl: redis.kind === 'remote' ? redis.url : () => overSocket(readEndpoints(file).redis, redisDir),
    amqpUrl:
      rabbitmq.kind === 'remote' ? rabbitmq.url : () => ownedBy(readEndpoints(file).amqp, statSync(file).uid),
  };
}

function readEndpoints(file: string): Endpoints {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
  } catch (error) {
    throw new Fault(
      'no-endpoints',
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'not JSON'}): the embedded servers run only while the daemon does; start it, or name its --config and --data-dir`,
      { cause: error },
    );
  }
}
