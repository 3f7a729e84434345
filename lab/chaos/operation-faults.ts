/** Rows of the fault table on what people do around a daemon: its terminal, its folder, and a consumer whose disk is full. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../../src/commands/exit-codes';
import { MAIN } from '../daemon';
import { waitUntil } from '../process';
import type { Row } from './row';
import { SmallDisk } from './small-disk';
import type { World } from './world';

const DISK_BYTES = 4 << 20;
/** A restart takes a few seconds in which nothing is captured. */
const SECONDS = 20;

/** The output of the daemon's terminal is stopped (Ctrl-S) while a Redis that comes and goes gives it much to say. */
const terminalStopped: Row = {
  name: 'terminal-stopped',
  seconds: SECONDS,
  inject: async (world, ms) => {
    await world.stopTerminal();
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      world.redisProxy.network = { kind: 'reset' };
      await sleep(500);
      world.redisProxy.network = { kind: 'sound' };
      await sleep(500);
    }
    await world.captured();
    await world.resumeTerminal();
  },
};

/** Frames wait while the daemon is stopped, its data directory moved, and the daemon started on it. */
const dataMoved: Row = {
  name: 'data-directory-moved',
  seconds: SECONDS,
  inject: async (world, ms) => {
    world.redisProxy.network = { kind: 'black-hole' };
    await sleep(ms / 2);
    await world.moveData();
    await sleep(ms / 2);
    world.redisProxy.network = { kind: 'sound' };
  },
};

/** `process --out` consumes alone, and its disk is full: the frames are the next consumer's. */
const consumerDiskFull: Row = {
  name: 'consumer-disk-full',
  needs: 'disk',
  inject: async (world, ms) => {
    const out = path.join(world.options.dir, 'out');
    mkdirSync(out, { recursive: true });
    const disk = SmallDisk.mount(out, DISK_BYTES);
    if (disk === undefined) throw new Error('a small disk cannot be mounted');
    try {
      disk.leave(0);
      await world.consumer.pause();
      await consumeInto(out, world, ms);
      const saved = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /frame_/.test(name),
      );
      if (saved.length > 0) throw new Error(`a full disk took ${saved.join(', ')}`);
    } finally {
      disk.unmount();
      world.consumer.resume();
    }
  },
};

async function consumeInto(out: string, { options, dataDir }: World, ms: number): Promise<void> {
  const config = path.join(options.dir, 'actors.json');
  const args = [MAIN, 'process', '--config', config, '--data-dir', dataDir, '--out', out];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await waitUntil('it says that its disk is full', () => /consuming pauses: .*no space left/.test(said));
    await sleep(ms);
    child.kill('SIGTERM');
    const [code] = (await exited) as [number | null];
    if (code !== EXIT.unavailable) throw new Error(`process ended with ${String(code)}: ${said}`);
  } finally {
    child.kill('SIGKILL');
  }
}

export const operationRows: readonly Row[] = [terminalStopped, dataMoved, consumerDiskFull];
