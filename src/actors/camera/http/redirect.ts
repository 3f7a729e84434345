/** Where an answer or a playlist may lead: to the camera itself, and elsewhere only if the configuration allows it. Pure. */
import { BlockList, isIP } from 'node:net';
import { redactUrl } from '../../../url/url';
import { Fault } from '../../../fault/fault';

export const MAX_REDIRECTS = 5;

export interface HostPolicy {
  /** The configured URL, without credentials. */
  readonly named: URL;
  readonly anyHost: boolean;
}

/** This machine and its links: a camera may never redirect to them. */
const THIS_MACHINE = new BlockList();
THIS_MACHINE.addSubnet('0.0.0.0', 8);
THIS_MACHINE.addSubnet('127.0.0.0', 8);
THIS_MACHINE.addSubnet('169.254.0.0', 16);
THIS_MACHINE.addSubnet('224.0.0.0', 3);
THIS_MACHINE.addSubnet('::', 127, 'ipv6');
THIS_MACHINE.addSubnet('fe80::', 10, 'ipv6');
THIS_MACHINE.addSubnet('ff00::', 8, 'ipv6');
/**
 * RFC 1918, 4193, 6598 and the others of RFC 6890; IPv4 embedded in IPv6 (RFC 6052, 3056), which may be one
 * of them.
 */
const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
PRIVATE.addSubnet('100.64.0.0', 10);
PRIVATE.addSubnet('192.0.0.0', 24);
PRIVATE.addSubnet('198.18.0.0', 15);
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('64:ff9b::', 96, 'ipv6');
PRIVATE.addSubnet('64:ff9b:1::', 48, 'ipv6');
PRIVATE.addSubnet('2002::', 16, 'ipv6');

/**
 * The URL to which an answer redirects.
 * @throws Fault `redirect` if it is not followed; its message follows the feed's name
 */
export function redirectTarget(from: URL, location: string | undefined, policy: HostPolicy): URL {
  const target = location === undefined ? null : parse(location, from);
  if (target === null) throw refusal('redirects, but does not say where to');
  const to = redactUrl(target.href);
  if (target.protocol !== policy.named.protocol)
    throw refusal(
      `redirects to ${to}; another scheme is never followed: set the URL of this camera to that address if it is right`,
    );
  if (isSameHost(target, policy.named)) return target;
  if (!policy.anyHost)
    throw refusal(
      `redirects to another host, ${to}; set the URL of this camera to that address, or "redirects" to "any-host"`,
    );
  return target;
}

/**
 * Whether a playlist may name `target`: many playlists list resources on other hosts. {@link mayConnect}
 * decides which addresses are allowed.
 */
export function mayList(target: URL, { named }: HostPolicy): boolean {
  return target.protocol === named.protocol || (target.protocol === 'https:' && named.protocol === 'http:');
}

/** True for a target whose address need not be checked, because the operator configured it. */
export function isSameHost(target: URL, named: URL): boolean {
  return target.hostname === named.hostname;
}

/** True for a target that gets the credentials: on another port another program may listen. */
export function isSameOrigin(target: URL, named: URL): boolean {
  return target.origin === named.origin;
}

/**
 * Whether connecting to this address is allowed for a host that is not configured.
 * @param namedAddress address at which the configured host was reached; undefined if not known
 * @param anyHost whether the configuration allows other hosts
 */
export function mayConnect(address: string, namedAddress: string | undefined, anyHost = true): boolean {
  if (isIn(THIS_MACHINE, address)) return false;
  if (!isIn(PRIVATE, address)) return true;
  if (!anyHost) return false;
  return namedAddress !== undefined && (isIn(PRIVATE, namedAddress) || isIn(THIS_MACHINE, namedAddress));
}

export function localTarget(target: URL): Fault {
  return refusal(
    `redirects to ${redactUrl(target.href)}, an address inside this network that its URL does not name; this is never followed`,
  );
}

export function tooManyRedirects(): Fault {
  return refusal(
    `redirects more than ${MAX_REDIRECTS} times; open its URL in a browser, and set it to the address that shows the picture`,
  );
}

function isIn(list: BlockList, address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  return list.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4');
}

function parse(location: string, from: URL): URL | null {
  try {
    const target = new URL(location, from);
    target.username = target.password = target.hash = '';
    return target;
  } catch {
    return null;
  }
}

function refusal(message: string): Fault {
  return new Fault('redirect', message);
}
