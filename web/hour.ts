/** The ledger's last hour of all cameras, requested again while the page is visible. */
import type { ApiLedger } from '../src/actors/web/view/api';
import { getJson } from './api-client.js';
import { topic, type Model } from './model.js';

export const HOUR_MS = 3_600_000;
const BUCKETS = 60;
const EVERY_MS = 60_000;

export function ledgerAddress(now: number, spanMs: number, buckets: number, camera?: string): string {
  const query = new URLSearchParams({ since: String(Math.round(now - spanMs)), buckets: String(buckets) });
  if (camera !== undefined) query.set('camera', camera);
  return `api/ledger?${query.toString()}`;
}

export function followHour(model: Model): void {
  let askedAt = -Infinity;
  const ask = async () => {
    if (document.hidden || model.link.name !== 'live' || Date.now() - askedAt < EVERY_MS) return;
    askedAt = Date.now();
    try {
      model.setHour((await getJson<ApiLedger>(ledgerAddress(model.now(), HOUR_MS, BUCKETS))).body);
    } catch {
      // The connection's own state says what is wrong; the strips stay as they were.
    }
  };
  model.topics.subscribe(topic.link, () => {
    askedAt = -Infinity;
    void ask();
  });
  model.topics.subscribe(topic.tick, () => void ask());
}
