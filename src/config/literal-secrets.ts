/** Credentials written in a configuration itself, in whole or in part, instead of in the environment. Pure. */
import { namesSecret, secretsOf } from '../url/redact';
import { URL_PARTS } from '../url/url-parts';
import type { ConfigFault } from './faults';
import { FLEET_KEY, fleetKey } from './fleet-key';
import { isObject } from './is-object';
import { jsonPath, type Place } from './paths';

/** Settings of a camera that can be written but not read. */
export const SECRET_SETTINGS = ['username', 'password'] as const;
/** Signs of credentials in a text that is no complete URL without its references. */
const PERHAPS_SECRET = /[@?=]|%3d/i;

/** Places of texts with such credentials in `value`, at any depth. */
export function literalSecrets(value: unknown, place: Place = []): Place[] {
  if (typeof value === 'string') return isSecret(value, place) ? [place] : [];
  if (Array.isArray(value)) return value.flatMap((item, i) => literalSecrets(item, [...place, i]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => literalSecrets(item, [...place, key]));
}

function isSecret(text: string, place: Place): boolean {
  const literal = text.replaceAll('$${', '$').replace(/\$\{[^}]*\}/g, '');
  if ((SECRET_SETTINGS as readonly unknown[]).includes(place.at(-1))) return literal !== '';
  if (!text.includes('://')) return false;
  const [, , userinfo = ''] = URL_PARTS.exec(literal) ?? [];
  if (!URL_PARTS.test(literal)) return PERHAPS_SECRET.test(literal.replace(/:?@/, ''));
  return userinfo.replaceAll(':', '') !== '' || secretsOf(literal).length > 0 || namesSecret(literal);
}

/**
 * Faults of cameras that a fleet cannot share. All nodes read them from etcd, and etcd's data and backups are outside Vigil's control.
 * @param written before references are replaced
 */
export function sealFaults(written: unknown, environment: NodeJS.ProcessEnv): ConfigFault[] {
  if (!isObject(written) || written['fleet'] === undefined) return [];
  const key = fleetKey(environment);
  if (key.kind === 'key') return [];
  if (key.kind === 'malformed') return [{ path: '$.fleet', problem: key.problem }];
  const { cameras, cameraDefaults } = written;
  return literalSecrets({ cameraDefaults, cameras }).map((place) => ({
    path: jsonPath(place),
    problem: `holds credentials, which a fleet does not write to etcd in clear text; write them as \${NAME}, or set ${FLEET_KEY} on all nodes to have them sealed`,
  }));
}
