/** The part of the configuration that a fleet shares, and how it is written to etcd: its credentials sealed. Pure but for random numbers. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { FLEET_KEY } from '../config/fleet-key';
import { isObject } from '../config/is-object';
import { literalSecrets } from '../config/literal-secrets';
import { jsonPath, valueAt, type Place } from '../config/paths';
import { Fault } from '../fault/fault';

/** As written in actors.json, including references to the environment. */
export interface Shared {
  readonly cameras: readonly unknown[];
  readonly cameraDefaults?: unknown;
}

/** One revision of them. In place of credentials, `{"sealed": N}` refers to the Nth entry of `sealed`. */
export interface Publication extends Shared {
  /** Rises by one with each publication. */
  readonly revision: number;
  /** Ids of this publication, and of the previous one. */
  readonly id: string;
  readonly after?: string | undefined;
  /** The node that published it, and when by its clock, milliseconds since the epoch. */
  readonly node: string;
  readonly atMs: number;
  readonly sealed?: string;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const INFO = 'vigil fleet configuration v1';

export function sharedOf(file: unknown): Shared {
  const { cameras, cameraDefaults } = isObject(file) ? file : {};
  return {
    cameras: Array.isArray(cameras) ? (cameras as unknown[]) : [],
    ...(cameraDefaults === undefined ? {} : { cameraDefaults }),
  };
}

/**
 * @param fleet the fleet that can open it; no other can
 * @throws Fault `fleet-key` if credentials cannot be sealed
 */
export function published(
  fleet: string,
  shared: Shared,
  head: Pick<Publication, 'revision' | 'after' | 'node' | 'atMs'>,
  key: Buffer | undefined,
): Publication {
  const places = literalSecrets(shared);
  const secrets = places.map((place) => valueAt(place, shared));
  const order = new Map(places.map((place, i) => [jsonPath(place), i]));
  const open = { ...head, id: randomUUID(), ...(marked(shared, order) as Shared) };
  if (places.length === 0) return open;
  if (key === undefined)
    throw new Fault(
      'fleet-key',
      `the cameras hold credentials, and ${FLEET_KEY}, by which they are sealed, is not set on this node`,
    );
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, derived(key, fleet), nonce).setAAD(context(fleet, open));
  const text = Buffer.concat([cipher.update(JSON.stringify(secrets)), cipher.final()]);
  return { ...open, sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64') };
}

/** @throws Fault `fleet-key` if it cannot be unsealed, or was changed without the key */
export function opened(fleet: string, publication: Publication, key: Buffer | undefined): Shared {
  const { sealed, ...open } = publication;
  const shared = sharedOf(open);
  if (sealed === undefined) return shared;
  const which = `revision ${open.revision} of the fleet's cameras, published by node "${open.node}",`;
  if (key === undefined)
    throw new Fault(
      'fleet-key',
      `${which} has sealed credentials; set ${FLEET_KEY} on this node to the key of that node, and restart the daemon`,
    );
  try {
    const bytes = Buffer.from(sealed, 'base64');
    const [nonce, rest] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES)];
    const decipher = createDecipheriv(CIPHER, derived(key, fleet), nonce, { authTagLength: TAG_BYTES })
      .setAAD(context(fleet, open))
      .setAuthTag(rest.subarray(0, TAG_BYTES));
    const text = Buffer.concat([decipher.update(rest.subarray(TAG_BYTES)), decipher.final()]).toString();
    return withSecrets(shared, JSON.parse(text) as readonly unknown[]) as Shared;
  } catch (cause) {
    throw new Fault(
      'fleet-key',
      `${which} cannot be unsealed: ${FLEET_KEY} of this node is not the key of that node, or the revision was changed in etcd`,
      { cause },
    );
  }
}

/** The value of a key in etcd; undefined if it was not written by Vigil. */
export function parsedPublication(value: string): Publication | undefined {
  try {
    const found = JSON.parse(value) as Partial<Publication> | null;
    const isOne =
      Number.isSafeInteger(found?.revision) &&
      typeof found?.id === 'string' &&
      typeof found.node === 'string' &&
      Array.isArray(found.cameras);
    return isOne ? (found as Publication) : undefined;
  } catch {
    return undefined;
  }
}

function derived(key: Buffer, fleet: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, fleet, INFO, 32));
}

/** Everything that is not sealed is authenticated: a password cannot be moved to another camera's URL. */
function context(fleet: string, { revision, id, cameras, cameraDefaults }: Publication): Buffer {
  return Buffer.from(JSON.stringify([fleet, revision, id, cameras, cameraDefaults ?? null]));
}

/** `value` with a mark in the place of each of `secrets`, which are JSON paths. */
function marked(value: unknown, secrets: ReadonlyMap<string, number>, place: Place = []): unknown {
  if (Array.isArray(value)) return value.map((item, i) => marked(item, secrets, [...place, i]));
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, marked(item, secrets, [...place, key])]),
    );
  const sealed = typeof value === 'string' ? secrets.get(jsonPath(place)) : undefined;
  return sealed === undefined ? value : { sealed };
}

function withSecrets(value: unknown, secrets: readonly unknown[]): unknown {
  if (Array.isArray(value)) return value.map((item) => withSecrets(item, secrets));
  if (!isObject(value)) return value;
  const { sealed } = value;
  if (typeof sealed === 'number' && Object.keys(value).length === 1) return secrets[sealed];
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withSecrets(item, secrets)]));
}
