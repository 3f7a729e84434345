/** What lies between one daemon and its servers: a proxy for each, which may misbehave. */
import { hostsOf } from '../../src/url/url';
import { FaultProxy } from '../fault-proxy';

/** Undefined where a URL names several servers: those find each other, and their clients them, past any proxy. */
export async function proxyOf(url: string): Promise<FaultProxy | undefined> {
  return hostsOf(url).length > 1 ? undefined : FaultProxy.start(Number(new URL(url).port));
}

export function through(url: string, proxy: FaultProxy | undefined): string {
  if (proxy === undefined) return url;
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}
