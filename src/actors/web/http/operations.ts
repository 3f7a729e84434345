/** The operations on cameras that clients can request. */
import type { ApiCameraSettings, ApiEdit, ApiProbe } from '../view/api';

export interface CameraEdit {
  readonly kind: 'put' | 'patch' | 'remove';
  readonly camera: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifAbsent?: boolean | undefined;
  readonly planOnly: boolean;
  /** Address of the client. */
  readonly by: string;
}

export interface WebOperations {
  /** A camera's settings, and the validator of the configuration file; undefined while that cannot be read. @throws Problem */
  settings(camera: string): Promise<(ApiCameraSettings & { readonly etag: string }) | undefined>;
  /** @throws Problem */
  edit(edit: CameraEdit): Promise<{ readonly done: ApiEdit; readonly etag: string }>;
  /** Begins it. @throws Problem */
  restart(camera: string, by: string): Promise<void>;
  /** @param settings of a new camera, or what is other than those of `camera` @throws Problem */
  probe(
    camera: string | undefined,
    settings: Readonly<Record<string, unknown>>,
    seconds: number,
    by: string,
  ): Promise<ApiProbe>;
}
