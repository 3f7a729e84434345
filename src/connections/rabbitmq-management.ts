/** What RabbitMQ's management HTTP API reports about bindings and queues: rabbitmq.com/docs/management#http-api. */
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { boundedText } from '../os/bounded-text';
import { hostsOf, redactUrl } from '../url/url';
import { Fault } from '../fault/fault';
import type { BrokerBinding, BrokerView, QueueCounts } from './bound-queues';

const ANSWER_MS = 3000;
/** A thousand bindings take 200 kB. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * @param managementUrl without credentials, as those of `amqpUrl` are used
 * @param amqpUrl names the virtual host to examine
 * @param answerMs milliseconds for one answer
 * @returns a view whose queries throw a Fault `broker-management` if they get no answer
 */
export function managementView(managementUrl: string, amqpUrl: string, answerMs = ANSWER_MS): BrokerView {
  const [base, broker] = [new URL(managementUrl), new URL(hostsOf(amqpUrl)[0] ?? amqpUrl)];
  const { username, password } = base.username === '' ? broker : base;
  const vhost = broker.pathname.length > 1 ? broker.pathname.slice(1) : '%2F';
  const ask = async (...parts: readonly string[]): Promise<unknown> => {
    const url = new URL(`${base.pathname.replace(/\/$/, '')}/api/${parts.join('/')}`, base.origin);
    const auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return answerOf(url, auth, managementUrl, answerMs);
  };
  return {
    // A missing exchange has an empty list: "not found" means something else is missing.
    bindings: async (exchange) =>
      list(
        await ask('exchanges', vhost, encodeURIComponent(exchange), 'bindings', 'source'),
        managementUrl,
      ).map((entry) => binding(entry, managementUrl)),
    queue: async (name) => {
      const found = await ask('queues', vhost, encodeURIComponent(name));
      return found === undefined ? undefined : counts(found);
    },
  };
}

/** Undefined if nothing of that name exists. */
async function answerOf(url: URL, auth: string, shown: string, answerMs: number): Promise<unknown> {
  const signal = AbortSignal.timeout(answerMs);
  const { status, text } = await exchange(url, auth, signal).catch((error: unknown) => {
    throw fault(shown, signal.aborted ? late(answerMs) : unreachable(error as NodeJS.ErrnoException));
  });
  if (status === 401 || status === 403) throw fault(shown, REFUSED);
  const value = parsed(text);
  // Its own "not found" is JSON; any other comes from another server.
  if (status === 404 && value !== undefined) return undefined;
  if (status !== 200) throw fault(shown, answeredWith(status));
  if (value === undefined) throw fault(shown, OTHERWISE);
  return value;
}

async function exchange(
  url: URL,
  auth: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const get = url.protocol === 'https:' ? getHttps : getHttp;
    get(url, { auth, agent: false, signal }, resolve).once('error', reject);
  });
  return { status: response.statusCode ?? 0, text: await boundedText(response, MAX_BYTES, 'an answer') };
}

const CHECK = 'check "managementUrl"';
const REFUSED =
  'refused the user name or password, or the user may not use it; give that user the tag "monitoring", or put the credentials of one who has it into "managementUrl"';

const OTHERWISE = `does not answer as RabbitMQ's management API; ${CHECK}`;

function late(answerMs: number): string {
  return `did not answer within ${answerMs} ms; ${CHECK}`;
}

function answeredWith(status: number): string {
  return `answers with HTTP ${status}; ${CHECK}`;
}

function unreachable({ code, message }: NodeJS.ErrnoException): string {
  const reason = code === 'ECONNREFUSED' ? 'nothing listens there' : (code ?? message);
  return `cannot be reached (${reason}); ${CHECK}, and that the broker's management plugin is enabled`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function list(value: unknown, shown: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw fault(shown, value === undefined ? answeredWith(404) : OTHERWISE);
}

function binding(entry: unknown, shown: string): BrokerBinding {
  const { destination, destination_type: type } = (entry ?? {}) as Record<string, unknown>;
  if (typeof destination !== 'string') throw fault(shown, OTHERWISE);
  return { to: destination, kind: type === 'exchange' ? 'exchange' : 'queue' };
}

/** A queue declared a moment ago has no figures yet. */
function counts(value: unknown): QueueCounts {
  const { messages, consumers } = (value ?? {}) as Record<string, unknown>;
  return { messages: Number(messages ?? 0), consumers: Number(consumers ?? 0) };
}

function fault(managementUrl: string, problem: string): Fault {
  return new Fault(
    'broker-management',
    `RabbitMQ's management API at ${redactUrl(managementUrl)} ${problem}`,
  );
}
