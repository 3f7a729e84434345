/** `process`: the frame-process service, pointed at the servers the daemon uses. */
import path from 'node:path';
import { ENDPOINTS_FILE, rabbitmqOf, readEndpoints, redisOf } from '../config/endpoints-file';
import { loadTopology } from '../config/load';
import type { Topology } from '../config/topology';
import { unlessAborted } from '../clock/sleep';
import type { ConsumerCounters } from '../consumer/counters';
import { ConsumerError } from '../consumer/fault';
import type { ConsumerOptions } from '../consumer/options';
import { runProcess, type ProcessedFrame, type ProcessOptions } from '../consumer/frame-process';
import { logToStandardError, openLog } from '../log/log';
import { throwIfNotPermitted } from '../os/access';
import { endProcess, print } from '../os/output';
import { ExitFault } from '../fault/fault';
import { findFfmpeg } from '../supervisor/ffmpeg-program';
import { EXIT } from './exit-codes';
import type { Places } from './options';

/** Time for the last log lines of a process that receives a second signal, milliseconds. */
const AT_ONCE_MS = 200;

export interface ProcessCommandOptions extends Places {
  /** Folder pictures are written to. */
  readonly out: string | undefined;
  /** Frames after which it ends. */
  readonly count: number | undefined;
  /** Only the newest frame of each camera. */
  readonly latest: boolean;
  /** One line of JSON per frame, and one at the end; the log is written to standard error. */
  readonly json: boolean;
}

/**
 * Runs until a signal or `--count` ends it; resolves with the exit code.
 * @throws ConfigurationError, or Fault `no-endpoints` when the embedded servers are not running
 */
export async function runProcessCommand(args: ProcessCommandOptions): Promise<number> {
  throwIfNotPermitted(args.config);
  const topology = loadTopology(args.config, process.env);
  const { redisUrl, amqpUrl } = servers(topology, args.dataDir);
  if (args.json) logToStandardError();
  const log = openLog('process', topology.logLevel);
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping.signal.aborted) void endProcess(EXIT.failed, AT_ONCE_MS);
      stopping.abort();
    });
  const ffmpeg = findFfmpeg(topology.ffmpeg);
  // The reader of its output has gone.
  if (args.json) process.stdout.on('error', () => stopping.abort());
  const tell = async (record: object) => print(`${JSON.stringify(record)}\n`);
  const counters = await processFrames({
    amqpUrl,
    redisUrl,
    queue: topology.queue.name,
    ...(ffmpeg === undefined ? {} : { ffmpeg }),
    ...(args.out === undefined ? {} : { out: args.out }),
    ...(args.count === undefined ? {} : { count: args.count }),
    latestOnly: args.latest,
    ...(args.json
      ? { onFrame: async (frame) => unlessAborted(tell(frameRecord(frame)), stopping.signal) }
      : {}),
    signal: stopping.signal,
    log: (level, message, fields) => log[level](message, fields),
  });
  if (args.json) await tell({ kind: 'end', ...counters });
  return EXIT.clean;
}

function frameRecord({ event, redelivered, file }: ProcessedFrame): object {
  const { id, time, data } = event;
  return { kind: 'frame', id, time, ...data, redelivered, ...(file === undefined ? {} : { file }) };
}

/** @throws ExitFault `cannot-write` when the folder for pictures cannot be written to */
async function processFrames(options: ProcessOptions): Promise<ConsumerCounters> {
  try {
    return await runProcess(options);
  } catch (cause) {
    if (!(cause instanceof ConsumerError && cause.code === 'output-failed')) throw cause;
    throw new ExitFault('cannot-write', cause.message, { cause });
  }
}

/** Embedded servers get a new password at each start of the daemon: it is read before every connection. */
function servers(
  { redis, rabbitmq }: Topology,
  dataDir: string,
): Pick<ConsumerOptions, 'redisUrl' | 'amqpUrl'> {
  const file = path.join(dataDir, ENDPOINTS_FILE);
  if (redis.kind === 'embedded' || rabbitmq.kind === 'embedded') readEndpoints(file);
  return {
    redisUrl: redis.kind === 'remote' ? redis.url : () => redisOf(file),
    amqpUrl: rabbitmq.kind === 'remote' ? rabbitmq.url : () => rabbitmqOf(file),
  };
}
