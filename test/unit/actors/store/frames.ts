/** Frames and spools for the tests of the store's parts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { SpoolSpec } from '../../../../src/config/topology';
import type { Frame } from '../../../../src/contract/frame';
import { Spool } from '../../../../src/spool/spool';

export const BOUNDS: SpoolSpec = {
  maxBytes: 1000,
  maxAgeMs: 60_000,
  maxFrames: 100,
  minFreeBytes: 0,
  replay: 'oldest-first',
  replayRate: 100,
};

export function frameOf(capturedAt: number, camera = 'gate', bytes = 4): Frame {
  return { camera, capturedAt, sequence: capturedAt, width: 1, height: 1, format: 'jpeg', bytes };
}

export async function openSpool(t: TestContext): Promise<{ dir: string; spool: Spool }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'vigil-store-'));
  t.after(() => rm(dir, { recursive: true }));
  return { dir, spool: new Spool(dir, path.join(dir, 'no memory')) };
}
