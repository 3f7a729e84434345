/** The key that credentials are sealed with before they are written to etcd: from the environment, never from the file. Pure. */

/** The same on all nodes of a fleet. */
export const FLEET_KEY = 'VIGIL_FLEET_KEY';
const KEY_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

export type FleetKey =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly bytes: Buffer }
  | { readonly kind: 'malformed'; readonly problem: string };

export function fleetKey(environment: NodeJS.ProcessEnv): FleetKey {
  const text = environment[FLEET_KEY]?.trim() ?? '';
  if (text === '') return { kind: 'none' };
  const bytes = BASE64.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  if (bytes.length === KEY_BYTES) return { kind: 'key', bytes };
  const problem = `the environment variable ${FLEET_KEY} is not ${KEY_BYTES} bytes in base64; make a key with: openssl rand -base64 ${KEY_BYTES}`;
  return { kind: 'malformed', problem };
}
