/** What RabbitMQ and the way to it say when they refuse, in a person's words. */
import { redactUrl } from '../../config/url';
import type { FaultRecord } from '../../protocol/fault';

interface Rule {
  readonly pattern: RegExp;
  readonly code: string;
  readonly sentence: string;
}

const RULES: readonly Rule[] = [
  {
    pattern: /ACCESS_REFUSED|ACCESS-REFUSED|\b403\b.*login/i,
    code: 'broker-refused',
    sentence: 'refused the user name or password, or the right to write; check them in the configuration',
  },
  {
    // amqplib does not hand on what the broker says to that.
    pattern: /NOT_ALLOWED|vhost .* not found|Expected ConnectionOpenOk; got <ConnectionClose/i,
    code: 'broker-vhost',
    sentence: 'has no such virtual host, or this user may not use it; check the path of the URL',
  },
  {
    pattern: /Socket closed abruptly during opening handshake/i,
    code: 'broker-refused',
    sentence:
      'ended the conversation at once; check the user name, the password and that this is an AMQP port',
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
  { pattern: /Heartbeat timeout/i, code: 'broker-silent', sentence: 'has stopped answering' },
  {
    pattern: /NOT_FOUND - no exchange/i,
    code: 'broker-topology',
    sentence: 'lost the exchange; it is declared again',
  },
  {
    pattern: /certificate|self.signed|SSL|TLS/i,
    code: 'broker-tls',
    sentence:
      'cannot be spoken to over TLS; check the port, and trust its certificate with NODE_EXTRA_CA_CERTS',
  },
];

/** A sentence for anything amqplib throws or emits; `url` is shown without credentials. */
export function brokerFault(url: string, error: Error): FaultRecord {
  const name = `rabbitmq at ${redactUrl(url)}`;
  const { code = '' } = error as { code?: string | number };
  const text = `${String(code)} ${error.message}`;
  const rule = RULES.find(({ pattern }) => pattern.test(text));
  if (rule !== undefined) return { code: rule.code, message: `${name} ${rule.sentence}` };
  return { code: 'broker-lost', message: `${name} is not available (${error.message})` };
}
