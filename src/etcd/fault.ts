/** Why a request to etcd failed, at etcd or on the way: one sentence each, for operators. Pure. */
import { Fault } from '../fault/fault';

/** `etcd-away`: another endpoint may answer; all other codes are etcd's own answers, the same from every endpoint. */
export type EtcdFaultCode =
  'etcd-away' | 'etcd-login' | 'etcd-denied' | 'etcd-tls' | 'etcd-compacted' | 'etcd-lease' | 'etcd';

const TLS_ERRORS = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH)/;

export function etcdFault(code: EtcdFaultCode, message: string, cause?: unknown): Fault {
  return new Fault(code, message, { cause });
}

/** Host and port of an endpoint, or the file of its socket. */
function placeOf(endpoint: string): string {
  const { host, pathname } = new URL(endpoint);
  return host === '' ? decodeURI(pathname) : host;
}

/** A request that was not answered. */
export function connectionFault(endpoint: string, error: NodeJS.ErrnoException): Fault {
  const { code = '', message } = error;
  const host = placeOf(endpoint);
  if (TLS_ERRORS.test(code))
    return etcdFault(
      'etcd-tls',
      `no TLS connection to etcd at ${host} (${code}: ${message.trim()}); check fleet.ca, fleet.cert and fleet.key`,
      error,
    );
  return etcdFault('etcd-away', `etcd at ${host} cannot be reached (${code || message})`, error);
}

/**
 * An answer that is an error.
 * @param body of the answer: JSON of the gateway, or any text where something else answered
 */
export function answerFault(endpoint: string, status: number, body: string): Fault {
  const host = placeOf(endpoint);
  const { code, message } = readError(body);
  if (/authentication failed|user name is empty|password is empty|auth: .*invalid/i.test(message))
    return etcdFault(
      'etcd-login',
      `etcd at ${host} rejects the login (${message}); check fleet.username and fleet.password`,
    );
  if (/authentication is not enabled/i.test(message))
    return etcdFault(
      'etcd-login',
      `etcd at ${host} has authentication disabled; remove fleet.username and fleet.password, or enable it`,
    );
  if (/CommonName of client sending/i.test(message))
    return etcdFault(
      'etcd-tls',
      `etcd at ${host} has users, and then takes no client certificate with a common name over HTTP; give fleet.cert a certificate whose subject has no CN`,
    );
  if (/invalid auth token|revision of auth store is old/i.test(message))
    return etcdFault('etcd-login', `etcd at ${host}: the login has expired`);
  if (code === 7 || /permission denied/i.test(message))
    return etcdFault(
      'etcd-denied',
      `etcd at ${host} denies access to the keys below /vigil/; grant the user readwrite on that prefix`,
    );
  if (/requested lease not found/i.test(message))
    return etcdFault('etcd-lease', `etcd at ${host}: the lease has expired`);
  if (/required revision has been compacted/i.test(message))
    return etcdFault('etcd-compacted', `etcd at ${host}: the revision has been compacted`);
  // No leader, a leader that is being replaced, an election that lasts, a server that stops: another may answer.
  if (status >= 500 || code === 14 || code === 4)
    return etcdFault('etcd-away', `etcd at ${host} cannot answer now (${message})`);
  return etcdFault('etcd', `etcd at ${host} answered ${status}: ${message}; is it etcd 3.4 or newer?`);
}

function readError(body: string): { readonly code: number | undefined; readonly message: string } {
  const text = body.trim().slice(0, 200);
  try {
    const { code, message, error } = JSON.parse(body) as { code?: number; message?: string; error?: string };
    return { code, message: (message ?? error ?? text).slice(0, 200) };
  } catch {
    return { code: undefined, message: text || 'an empty answer' };
  }
}
