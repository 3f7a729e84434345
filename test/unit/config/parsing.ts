/** Configurations as the tests of src/config parse them. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { ConfigurationError, type ConfigFault } from '../../../src/config/faults';
import { parseTopology } from '../../../src/config/load';
import type { CameraSpec, Topology } from '../../../src/config/topology';

export const ROOT = path.resolve(__dirname, '../../..');

export const FILE = '/srv/vigil/actors.json';

export const SECRET = 's3cr3t';

/** A valid camera to put beside what is under test. */
export const GATE = { id: 'gate', test: 'testsrc2' };

export type Entry = Record<string, unknown>;

/** What parsing threw, or undefined. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

export function topologyOf(value: unknown, environment: NodeJS.ProcessEnv = {}): Topology {
  return parseTopology(typeof value === 'string' ? value : JSON.stringify(value), FILE, environment);
}

export function errorOf(value: unknown, environment: NodeJS.ProcessEnv = {}): ConfigurationError {
  const thrown = thrownBy(() => topologyOf(value, environment));
  assert.ok(thrown instanceof ConfigurationError, thrown instanceof Error ? thrown : 'nothing was thrown');
  return thrown;
}

export function faultsOf(value: unknown, environment: NodeJS.ProcessEnv = {}): readonly ConfigFault[] {
  return errorOf(value, environment).faults;
}

/** The only camera of a configuration that has no other. */
export function cameraOf(entry: Entry, rest: Entry = {}, environment: NodeJS.ProcessEnv = {}): CameraSpec {
  const [camera] = topologyOf({ ...rest, cameras: [{ id: 'gate', ...entry }] }, environment).cameras;
  assert.ok(camera !== undefined);
  return camera;
}

export function camera(entry: Entry): Entry {
  return { cameras: [{ id: 'gate', ...entry }] };
}

export function rest(entry: Entry): Entry {
  return { ...entry, cameras: [GATE] };
}

export const KEPT = { restart: 'permanent', backOff: { firstMs: 250, capMs: 30_000 } } as const;

export const CAMERA_CHILD = {
  ...KEPT,
  maxRestarts: 5,
  periodMs: 300_000,
  startMs: 3000,
  shutdownMs: 2500,
  probeMs: 180_000,
};
