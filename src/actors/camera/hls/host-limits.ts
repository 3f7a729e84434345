/** Which addresses a feed may lead to, by a playlist or a redirect: its own host, and public ones. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Networks that are not the Internet (RFC 6890): what is there is reached only where the feed's URL names it. */
const LOCAL = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  LOCAL.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  LOCAL.addSubnet(network, bits, 'ipv6');

/** Of the hosts one feed led to. */
export class HostLimits {
  readonly #allowed = new Map<string, boolean>();

  /** @param named the feed's own URL */
  constructor(private readonly named: URL) {}

  /** False for another scheme than HTTP's, for one without encryption where the feed's has it, for local addresses it does not name. */
  async allows({ protocol, hostname }: URL): Promise<boolean> {
    if (protocol !== 'https:' && protocol !== this.named.protocol) return false;
    if (hostname === this.named.hostname) return true;
    let allowed = this.#allowed.get(hostname);
    if (allowed === undefined) {
      allowed = await this.#isPublicOrNamed(hostname);
      this.#allowed.set(hostname, allowed);
    }
    return allowed;
  }

  async #isPublicOrNamed(hostname: string): Promise<boolean> {
    const addresses = await addressesOf(hostname);
    if (addresses.every((address) => !isLocal(address))) return true;
    const named = await addressesOf(this.named.hostname);
    return addresses.every((address) => named.includes(address));
  }
}

async function addressesOf(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true });
  return found.map(({ address }) => address);
}

/** An IPv4 address written as IPv6 counts as what it is. */
export function isLocal(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  return LOCAL.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}
