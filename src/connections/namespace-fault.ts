/** The sentence for a namespace that another daemon holds. Pure. */
import { redactUrl } from '../url/url';
import type { FaultRecord } from '../fault/fault';
import type { Holder } from './namespace-lease';

/** A daemon that gets this fault ends. */
export const NAMESPACE_IN_USE = 'namespace-in-use';

export function namespaceInUse(url: string, namespace: string, { name }: Holder): FaultRecord {
  return {
    code: NAMESPACE_IN_USE,
    message: `namespace "${namespace}" on redis at ${redactUrl(url)} is in use by the ${name}; stop that daemon, give this one another "namespace", or let it take over with --force`,
  };
}

export function namespaceUnsure(url: string, namespace: string, { name }: Holder): FaultRecord {
  return {
    code: 'namespace-waits',
    message: `namespace "${namespace}" on redis at ${redactUrl(url)} was held by the ${name}; unless that one still runs, it is free in a few seconds; frames wait in the spool`,
  };
}
