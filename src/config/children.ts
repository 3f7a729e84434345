/** How each child is kept: from what actors.json says to complete child specs, and what cannot be meant. */
import type { ConfigFault } from './faults';
import type { ActorsFile, CameraEntry } from './schema';
import type { ChildSpec } from './topology';

type ChildSettings = ActorsFile['actors']['service'];

/** Milliseconds all layers have to stop, one after the other: kill_timeout in ecosystem.config.cjs less the daemon's own needs. */
const STOP_MS = 13_000;
/** Milliseconds a store needs to end once it has drained. */
const AFTER_DRAIN_MS = 500;

export function childSpec(settings: ChildSettings): ChildSpec {
  const { restart, maxRestarts, periodMs, startMs, shutdownMs, backOffFirstMs, backOffCapMs } = settings;
  const backOff = { firstMs: backOffFirstMs, capMs: backOffCapMs };
  return { restart, maxRestarts, periodMs, startMs, shutdownMs, backOff };
}

/** What `actors.camera` says, and what the camera has otherwise. */
export function cameraChildSpec(actors: ActorsFile['actors'], camera: CameraEntry): ChildSpec {
  const settings = { ...actors.camera, ...camera.actor };
  return { ...childSpec(settings), probeMs: settings.probeMs };
}

/** An inner deadline ends before the outer one. */
export function deadlineFaults({ actors, cameras }: ActorsFile): ConfigFault[] {
  const { store, notifier, service } = actors;
  const faults: ConfigFault[] = [];
  if (store.drainMs + AFTER_DRAIN_MS > store.shutdownMs)
    faults.push({
      path: '$.actors.store.drainMs',
      problem: `is ${String(store.drainMs)} ms; expected at most ${String(Math.max(0, store.shutdownMs - AFTER_DRAIN_MS))}, which is ${String(AFTER_DRAIN_MS)} less than its shutdownMs`,
    });
  const camera = Math.max(...cameras.map((entry) => cameraChildSpec(actors, entry).shutdownMs), 0);
  const sum = camera + store.shutdownMs + notifier.shutdownMs + service.shutdownMs;
  if (sum > STOP_MS)
    faults.push({
      path: '$.actors',
      problem: `the shutdownMs of the slowest camera, of store, notifier and service add up to ${String(sum)} ms; expected at most ${String(STOP_MS)}, so that all has ended before a service manager kills the daemon`,
    });
  return faults;
}
