/** Errors of RabbitMQ and of the connection to it, in plain text for operators: the same in the daemon and at consumers. Pure. */
import { redactText, redactUrl, secretsOf } from '../url/redact';
import { Fault, type FaultRecord } from '../fault/fault';
import { accessRefusal, lacking, type Needs } from './rabbitmq-access';

interface Rule {
  readonly pattern: RegExp;
  readonly code: string;
  readonly sentence: string;
}

const RULES: readonly Rule[] = [
  {
    pattern: /Login was refused|login refused|Handshake terminated by server: 403/i,
    code: 'broker-refused',
    sentence: 'refused the user name or password; check them in the configuration',
  },
  {
    pattern: /Socket closed abruptly during opening handshake/i,
    code: 'broker-refused',
    sentence:
      'closed the connection at once; check the user name, the password and that this is an AMQP port',
  },
  {
    pattern: /foreign listener/,
    code: 'broker-foreign',
    sentence:
      'was not connected to: a program of another user listens on its port; find it with ss -ltnpe and end it, or restart the daemon with another port',
  },
  {
    pattern: /ECONNREFUSED/,
    code: 'broker-unreachable',
    sentence: 'refuses connections; check the address and that it runs',
  },
  {
    pattern: /ENOTFOUND|EAI_AGAIN/,
    code: 'broker-unreachable',
    sentence: 'has a name that cannot be resolved; check the host in the URL',
  },
  {
    pattern: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/,
    code: 'broker-unreachable',
    sentence: 'cannot be reached; check the address and the network',
  },
  {
    pattern: /CONNECTION[_-]FORCED/i,
    code: 'broker-closed',
    sentence: 'closed the connection; it stops, or an operator closed it',
  },
  { pattern: /no confirm within/i, code: 'broker-silent', sentence: 'confirms nothing' },
  {
    pattern: /refuses all messages/i,
    code: 'broker-nack',
    sentence:
      'refuses all messages; a queue they go to has no leader, or is not the one Vigil declared and full',
  },
  { pattern: /Heartbeat timeout/i, code: 'broker-silent', sentence: 'has stopped answering' },
  {
    pattern: /certificate|self.signed|SSL|TLS/i,
    code: 'broker-tls',
    sentence: 'failed the TLS handshake; check the port, and trust its certificate with NODE_EXTRA_CA_CERTS',
  },
];

/** amqplib does not pass on the broker's message when a connection is refused access to its virtual host. */
const NOT_LET_IN = /NOT_ALLOWED|vhost .* not found|Expected ConnectionOpenOk; got <ConnectionClose/i;

/**
 * A sentence for anything amqplib throws or emits; `url` is shown without credentials.
 * @param needs the rights for the attempted operation, for brokers that do not name the missing one
 */
export function brokerFault(url: string, error: Error, needs: Needs = {}): FaultRecord {
  if (error instanceof Fault) return { code: error.code, message: error.message };
  const { code = '' } = error as { code?: string | number };
  const fault = ruleFor(url, `${String(code)} ${error.message}`, needs);
  const name = `rabbitmq at ${redactUrl(url)}`;
  if (fault === undefined)
    return {
      code: 'broker-lost',
      message: `${name} is not available (${redactText(error.message, secretsOf(url))})`,
    };
  return { code: fault.code, message: `${name} ${fault.sentence}` };
}

function ruleFor(url: string, text: string, needs: Needs): Pick<Rule, 'code' | 'sentence'> | undefined {
  const refusal = accessRefusal(text, needs);
  if (refusal !== undefined && refusal.object !== 'vhost')
    return {
      code: 'broker-denied',
      sentence: `took the password, but this user ${lacking(refusal)}; grant it with rabbitmqctl set_${refusal.object === 'topic' ? 'topic_' : ''}permissions`,
    };
  if (refusal !== undefined || NOT_LET_IN.test(text))
    return { code: 'broker-vhost', sentence: vhostSentence(url) };
  const [, object, name] = /NOT_FOUND - no (exchange|queue) '(.*?)'/.exec(text) ?? [];
  if (object !== undefined && name !== undefined)
    return { code: 'broker-topology', sentence: `has no ${object} ${name}` };
  const other = /(?:ACCESS_REFUSED|NOT_ALLOWED|RESOURCE_LOCKED|PRECONDITION_FAILED) - ([^"\n]{1,160})/.exec(
    text,
  );
  const login = RULES.find(({ pattern }) => pattern.test(text));
  if (login !== undefined) return login;
  return other === null
    ? undefined
    : {
        code: 'broker-denied',
        sentence: `refused: ${redactText((other[1] ?? '').replace(/ for user '.*/, ''), secretsOf(url))}`,
      };
}

function vhostSentence(url: string): string {
  return `took the password, but has no virtual host "${vhostOf(url)}", or does not let this user into it (no permissions there, or a connection limit is reached); check the path of the URL, rabbitmqctl list_vhosts and list_permissions`;
}

/** The virtual host as the broker names it; amqplib treats a URL without a path as `/`. */
function vhostOf(url: string): string {
  const path = /^[a-z]+:\/\/[^/?#]*\/?([^?#]*)/i.exec(url)?.[1] ?? '';
  try {
    return decodeURIComponent(path) || '/';
  } catch {
    return path;
  }
}
