/** A camera's values of the settings whose change has the same effect while it runs. Pure. */
import type { CAMERA_EFFECTS } from './camera-setting';
import { cameraSetting, CAMERA_SETTING_NAMES } from './camera-settings';
import type { CameraSpec } from './topology';

export function valuesByEffect(camera: CameraSpec, effect: keyof typeof CAMERA_EFFECTS): unknown[] {
  const values = { ...camera } as Readonly<Record<string, unknown>>;
  return CAMERA_SETTING_NAMES.filter((name) => cameraSetting(name).effect === effect).map(
    (name) => values[name],
  );
}
