/** The definition of one camera setting. Pure data. */
import type { SourceKind } from './camera-sources';
import type { SettingSchema } from './setting-schema';

/** What a running camera does when the setting changes. */
export const CAMERA_EFFECTS = {
  'at-once': 'live, at once',
  decoder: 'live, with the next keyframe',
  reopen: 'live, reopens the feed',
} as const;

/** How a setting reaches the camera's actor: `same` under its own name, `derived` and `source` as resolve-camera.ts defines. */
type Resolution = 'same' | 'derived' | 'source';

export interface CameraSetting {
  readonly schema: SettingSchema;
  readonly default?: unknown;
  /** The value that means that the setting is absent. */
  readonly absent?: string | number;
  readonly sources: readonly SourceKind[];
  /** Values that only some of the sources have, and which. */
  readonly values?: Readonly<Record<string, readonly SourceKind[]>>;
  readonly resolved: Resolution;
  readonly effect: keyof typeof CAMERA_EFFECTS;
}
