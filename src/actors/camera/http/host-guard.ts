/**
 * Blocks connections to addresses a camera may not redirect to. The address that was looked up and checked is
 * also the one used.
 */
import { lookup as lookUp } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isSameHost, localTarget, mayConnect, type HostPolicy } from './redirect';

export class HostGuard {
  /** Address at which the configured host was reached. */
  #namedAddress: string | undefined;

  constructor(private readonly policy: HostPolicy) {}

  /** Notes the address at which a host was reached, if it is the configured one. */
  reached(target: URL, address: string | undefined): void {
    if (isSameHost(target, this.policy.named)) this.#namedAddress = address;
  }

  /**
   * The name look-up for a connection to `target`.
   * @throws Fault `redirect` for a blocked address; a name that resolves to one fails the request with the
   * same fault
   */
  lookup(target: URL): { readonly lookup?: LookupFunction } {
    if (isSameHost(target, this.policy.named)) return {};
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) === 0) return { lookup: this.#guarded(target) };
    if (!this.#allows(host)) throw localTarget(target);
    return {};
  }

  #guarded(target: URL): LookupFunction {
    return (hostname, options, callback) =>
      lookUp(hostname, { ...options, all: true }, (error, found) => {
        const refused = error === null && found.some(({ address }) => !this.#allows(address));
        const [first] = error === null ? found : [];
        if (error !== null || refused || first === undefined) callback(error ?? localTarget(target), []);
        else if (options.all === true) callback(null, found);
        else callback(null, first.address, first.family);
      });
  }

  #allows(address: string): boolean {
    return !isOwn(address) && mayConnect(address, this.#namedAddress, this.policy.anyHost);
  }
}

/** True for this machine's own network addresses, which count as this machine just as 127.0.0.1 does. */
function isOwn(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === plain));
}
