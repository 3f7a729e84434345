/** Where a daemon serves its page and API. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Endpoints } from '../src/config/endpoints-file';
import type { Daemon } from './daemon';
import { waitUntil } from './process';

/** What endpoints.json says; nothing where it is not there yet. */
export function endpoints({ dataDir }: Daemon): Partial<Endpoints> {
  try {
    return JSON.parse(readFileSync(path.join(dataDir, 'endpoints.json'), 'utf8')) as Endpoints;
  } catch {
    return {};
  }
}

/** Resolves with the URL as soon as it is served. */
export async function served(daemon: Daemon): Promise<string> {
  await waitUntil('the page is served', () => endpoints(daemon).http !== undefined, 60_000);
  return endpoints(daemon).http ?? '';
}
