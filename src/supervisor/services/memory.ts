/** Ports and passwords of the embedded servers, kept in the data directory so that clients keep working. */
import { readFileSync } from 'node:fs';
import type { DataDirectory } from '../data-directory';
import type { EmbeddedService, ServiceMemory } from './service';

const FILE = 'services.json';

type Memory = Partial<Record<EmbeddedService['name'], ServiceMemory>>;

/** What was written last time; nothing if that was never, or is damaged. */
export function readServiceMemory(data: DataDirectory): Memory {
  try {
    return JSON.parse(readFileSync(data.path(FILE), 'utf8')) as Memory;
  } catch {
    return {};
  }
}

/** A server that is no longer embedded keeps its place: its data still asks for the old password. */
export function writeServiceMemory(data: DataDirectory, services: readonly EmbeddedService[]): void {
  const current = Object.fromEntries(services.map(({ name, memory }) => [name, memory]));
  data.writePrivate(FILE, { ...readServiceMemory(data), ...current });
}
