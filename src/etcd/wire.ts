/** How etcd's JSON gateway writes requests and answers: base64 bytes, 64-bit numbers as text. Pure. */

/** A key and its value in etcd. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Revision of etcd at which it was created, and at which it was last written. */
  readonly createRevision: number;
  readonly modRevision: number;
  /** Decimal; absent if the key has no lease. */
  readonly lease?: string;
}

export type EtcdEvent =
  { readonly kind: 'put'; readonly entry: KeyValue } | { readonly kind: 'delete'; readonly key: string };

export interface WireEntry {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
  readonly lease?: string;
}

export interface WireEvent {
  /** Absent for a put. */
  readonly type?: 'DELETE';
  readonly kv: WireEntry;
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString();
}

/** The end of the range of all keys that begin with `prefix`, which is not empty and ends with an ASCII character. */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

export function keyValueOf({ key, value, create_revision, mod_revision, lease }: WireEntry): KeyValue {
  return {
    key: decode(key),
    value: decode(value),
    createRevision: Number(create_revision ?? 0),
    modRevision: Number(mod_revision ?? 0),
    ...(lease === undefined || lease === '0' ? {} : { lease }),
  };
}

export function eventOf({ type, kv }: WireEvent): EtcdEvent {
  return type === 'DELETE' ? { kind: 'delete', key: decode(kv.key) } : { kind: 'put', entry: keyValueOf(kv) };
}

/** Conditions of a transaction, on one key each. */
export type Compare =
  | { readonly key: string; readonly is: 'absent' }
  | { readonly key: string; readonly modRevision: number }
  | { readonly key: string; readonly lease: string };

export type Operation =
  { readonly put: string; readonly value: string; readonly lease?: string } | { readonly remove: string };

export function wireCompare(compare: Compare): object {
  const key = encode(compare.key);
  if ('is' in compare) return { key, target: 'CREATE', result: 'EQUAL', create_revision: '0' };
  if ('lease' in compare) return { key, target: 'LEASE', result: 'EQUAL', lease: compare.lease };
  return { key, target: 'MOD', result: 'EQUAL', mod_revision: String(compare.modRevision) };
}

export function wireOperation(operation: Operation): object {
  if ('remove' in operation) return { request_delete_range: { key: encode(operation.remove) } };
  const { put, value, lease } = operation;
  return {
    request_put: { key: encode(put), value: encode(value), ...(lease === undefined ? {} : { lease }) },
  };
}
