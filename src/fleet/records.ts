/**
 * Values in etcd, written by nodes of this version or a neighbouring one: unknown fields are kept, and fields
 * added since the first version may be absent. Pure.
 */
import { isObject } from '../config/is-object';
import type { NodeRecord, OwnerRecord } from './facts';

const TEXTS = ['id', 'address', 'state', 'version', 'configuration'] as const;

/** The record of a node; undefined if the value was not written by Vigil. */
export function parsedNode(value: string): NodeRecord | undefined {
  const found = parsed<NodeRecord>(value);
  const isOne =
    TEXTS.every((name) => typeof found?.[name] === 'string') &&
    Number.isFinite(found?.beat) &&
    Number(found?.capacity) > 0;
  return isOne ? (found as NodeRecord) : undefined;
}

/** The owner of a camera; undefined if the value was not written by Vigil. */
export function parsedOwner(value: string): OwnerRecord | undefined {
  const found = parsed<OwnerRecord>(value);
  const isOne = typeof found?.node === 'string' && Number.isFinite(found.sinceMs);
  return isOne ? (found as OwnerRecord) : undefined;
}

function parsed<T>(value: string): Partial<T> | undefined {
  try {
    const found: unknown = JSON.parse(value);
    return isObject(found) ? (found as Partial<T>) : undefined;
  } catch {
    return undefined;
  }
}
