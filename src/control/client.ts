/** Asks the daemon that runs on a data directory. */
import { request } from 'node:http';
import path from 'node:path';
import { throwIfNotPermitted } from '../os/access';
import { withSocketPath } from '../os/local-socket';
import { ExitFault } from '../fault/fault';
import { CONTROL_SOCKET } from './protocol';

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

async function ask(socketPath: string, url: string, body: unknown, answerMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    // No agent: a connection it kept might be of a daemon that has gone.
    const asking = request({ socketPath, path: url, method, timeout: answerMs, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new ExitFault('daemon-refused', `the daemon rejected the request: ${text}`));
      });
    });
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
