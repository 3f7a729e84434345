/** Complete child specs from the settings of actors.json, and the faults of deadlines that contradict each other. */
import type { ConfigFault } from './faults';
import type { ActorsFile, CameraEntry } from './schema';
import type { ChildSpec } from './topology';
import type { WellFormed } from './well-formed';

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

/** The settings of `actors.camera`, with those the camera overrides. */
export function cameraChildSpec(actors: ActorsFile['actors'], camera: CameraEntry): ChildSpec {
  return probedChildSpec({ ...actors.camera, ...camera.actor });
}

/** For a child the daemon can do without: beyond its intensity it is quarantined, while another would escalate. */
export function probedChildSpec(settings: ActorsFile['actors']['camera' | 'web' | 'notices']): ChildSpec {
  return { ...childSpec(settings), probeMs: settings.probeMs };
}

/** An inner deadline ends before the outer one. */
export function deadlineFaults({ actors = {}, cameras = [] }: WellFormed<ActorsFile>): ConfigFault[] {
  const { store = {}, notifier, service, camera, web, notices } = actors;
  const { drainMs, shutdownMs } = store;
  const faults: ConfigFault[] = [];
  if (drainMs !== undefined && shutdownMs !== undefined && drainMs + AFTER_DRAIN_MS > shutdownMs)
    faults.push({
      path: '$.actors.store.drainMs',
      problem: `is ${drainMs} ms; expected at most ${Math.max(0, shutdownMs - AFTER_DRAIN_MS)}, which is ${AFTER_DRAIN_MS} less than its shutdownMs`,
    });
  const ofCameras = cameras.map((entry) => ({ ...camera, ...entry?.actor }).shutdownMs ?? 0);
  // Web and notices stop in parallel.
  const beside = Math.max(web?.shutdownMs ?? 0, notices?.shutdownMs ?? 0);
  const slowest = ofCameras.reduce((longest, ms) => Math.max(longest, ms), beside);
  const others = [shutdownMs, notifier?.shutdownMs, service?.shutdownMs];
  const sum = others.reduce<number>((total, ms) => total + (ms ?? -Infinity), slowest);
  if (sum > STOP_MS)
    faults.push({
      path: '$.actors',
      problem: `the shutdownMs of the slowest camera, web or notices, of store, notifier and service add up to ${sum} ms; expected at most ${STOP_MS}, so that all has ended before a service manager kills the daemon`,
    });
  return faults;
}
