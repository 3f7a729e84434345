/**
 * State kept across restarts: what each webhook was sent, and what waits for it. Contains no URL and no
 * secret.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isObject } from '../../config/is-object';
import type { WebhookSpec } from '../../config/topology';
import { OWNER_ONLY, replaceFileSync } from '../../os/replace-file';
import type { Notice } from './notice';
import type { KeptTroubles } from './troubles';

export interface KeptWebhook {
  readonly troubles: KeptTroubles;
  readonly waiting: readonly Notice[];
}
export type KeptState = Readonly<Record<string, KeptWebhook>>;

/** A name for each webhook that is stable when others are added, and does not reveal its URL. */
export function keysOf(webhooks: readonly Pick<WebhookSpec, 'url'>[]): string[] {
  const counts = new Map<string, number>();
  return webhooks.map(({ url }) => {
    const hash = createHash('sha256').update(url).digest('hex').slice(0, 16);
    const count = (counts.get(hash) ?? 0) + 1;
    counts.set(hash, count);
    return `${hash}-${count}`;
  });
}

/** Empty if there is no file yet. @throws Error if there is one that cannot be read or has another format */
export function readState(file: string): KeptState {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  const state = JSON.parse(text) as unknown;
  if (!isState(state)) throw new Error('its content is not that of notices');
  return state;
}

/** @param text JSON of a {@link KeptState}. @throws Error of the file system */
export function writeState(file: string, text: string): void {
  replaceFileSync(file, text, OWNER_ONLY);
}

function isState(value: unknown): value is KeptState {
  return isObject(value) && Object.values(value).every(isWebhook);
}

function isWebhook(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { troubles, waiting } = value;
  return (
    isObject(troubles) &&
    Object.values(troubles).every(isTrouble) &&
    Array.isArray(waiting) &&
    waiting.every(isNotice)
  );
}

function isTrouble(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { since, told } = value;
  return Number.isFinite(since) && Array.isArray(told) && told.every((each) => typeof each === 'string');
}

function isNotice(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { id, atMs, body } = value;
  return typeof id === 'string' && /^msg_[\w-]{1,64}$/.test(id) && Number.isFinite(atMs) && isObject(body);
}
