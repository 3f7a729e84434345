/**
 * Names this server answers to. A page of another site can make a browser connect here under that site's name (DNS
 * rebinding); the browser then sends that name in `Host`.
 */
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

export class OwnNames {
  readonly #names: ReadonlySet<string>;

  /**
   * @param host the server listens on
   * @param names more that the operator has given
   * @param machine the name and the addresses of this machine, asked each time: addresses change
   */
  constructor(
    private readonly host: string,
    names: readonly string[],
    private readonly machine: () => readonly string[] = machineNames,
  ) {
    this.#names = new Set(['localhost', host, ...names].map(normal));
  }

  /** @param header `Host` of a request, with or without a port */
  isOwn(header: string | undefined): boolean {
    const name = nameOf(header);
    if (name === undefined) return false;
    if (this.#names.has(name) || isLoopbackAddress(name)) return true;
    return !isLoopbackName(normal(this.host)) && this.machine().some((own) => normal(own) === name);
  }
}

/** The host of a `Host` header, without its port; undefined for what is none. */
function nameOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:/@[\]]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  const name = bracketed ?? plain;
  return name === undefined ? undefined : normal(name);
}

/** Names are case-insensitive, and a trailing dot has no meaning. */
function normal(name: string): string {
  return name.toLowerCase().replace(/(?<=.)\.$/, '');
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || isLoopbackAddress(name);
}

function isLoopbackAddress(name: string): boolean {
  return isIP(name) === 4 ? name.startsWith('127.') : name === '::1';
}

function machineNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each = []) =>
    each.map(({ address }) => address),
  );
  return [hostname(), ...addresses];
}
