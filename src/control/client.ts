/** Asks the daemon that runs on a data directory. */
import { request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { throwIfNotPermitted } from '../os/access';
import { withSocketPath } from '../os/local-socket';
import { ExitFault } from '../fault/fault';
import { text as textOf } from 'node:stream/consumers';
import { CONTROL_SOCKET, type LogRequest, type NoSuchLog } from './protocol';

/** A daemon answers within milliseconds; one that is stopped (SIGSTOP) or blocked never does. */
const ANSWER_MS = 10_000;

/**
 * The daemon's answer to `GET url`, or to `POST url` with a body.
 * @param answerMs how long it may take
 * @throws ExitFault `no-daemon` when none runs on `dataDir`, `daemon-silent` when it does not answer, `not-permitted`
 */
export async function askDaemon(
  dataDir: string,
  url: string,
  body?: unknown,
  answerMs = ANSWER_MS,
): Promise<unknown> {
  const response = await askOpenly(dataDir, url, body, answerMs);
  const text = await textOf(response);
  if (response.statusCode === 200) return JSON.parse(text);
  throw refused(text);
}

/**
 * The lines of the answer to `POST /logs`, which may continue until the daemon ends.
 * @returns the response; or, if the daemon does not know the name, its answer
 * @throws ExitFault as {@link askDaemon}
 */
export async function askLogs(dataDir: string, asked: LogRequest): Promise<IncomingMessage | NoSuchLog> {
  const response = await askOpenly(dataDir, '/logs', asked, ANSWER_MS);
  if (response.statusCode === 200) {
    // From here on the connection may be silent while nothing is logged.
    response.setTimeout(0);
    return response;
  }
  const text = await textOf(response);
  if (response.statusCode === 404) return JSON.parse(text) as NoSuchLog;
  throw refused(text);
}

function refused(text: string): ExitFault {
  return new ExitFault('daemon-refused', `the daemon rejected the request: ${text}`);
}

/** Resolves when the answer begins. */
async function askOpenly(
  dataDir: string,
  url: string,
  body: unknown,
  answerMs: number,
): Promise<IncomingMessage> {
  try {
    return await withSocketPath(dataDir, CONTROL_SOCKET, (socketPath) =>
      ask(socketPath, url, body, answerMs),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') throwIfNotPermitted(path.join(dataDir, CONTROL_SOCKET), 'write');
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR')
      throw new ExitFault(
        'no-daemon',
        `no daemon runs on ${dataDir}; start it with npm start, or name its folder with --data-dir`,
        { cause: error },
      );
    throw error;
  }
}

async function ask(
  socketPath: string,
  url: string,
  body: unknown,
  answerMs: number,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    // No agent: a connection it keeps may belong to a daemon that has gone.
    const asking = request({ socketPath, path: url, method, timeout: answerMs, agent: false }, resolve);
    asking.once('error', reject);
    asking.once('timeout', () => {
      asking.destroy(
        new ExitFault(
          'daemon-silent',
          `the daemon did not answer within ${answerMs} ms; it is stopped or very busy`,
        ),
      );
    });
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
