/** Blocks connections to addresses a camera may not redirect to: checked after the name look-up, and then that very address is used. */
import { lookup as lookUp } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isSameHost, localTarget, mayConnect, type HostPolicy } from './redirect';

export class HostGuard {
  /** Address at which the named host was reached. */
  #namedAddress: string | undefined;

  constructor(private readonly policy: HostPolicy) {}

  /** The named host was reached. */
  reached(target: URL, address: string | undefined): void {
    if (isSameHost(target, this.policy.named)) this.#namedAddress = address;
  }

  /**
   * How a connection to `target` looks its name up.
   * @throws Fault `redirect` for an address that is not connected to; a name that leads to one ends the request with it
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

/** An address of this machine in its network, which counts as this machine just as 127.0.0.1 does. */
function isOwn(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === plain));
}
