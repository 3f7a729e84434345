/** The present picture of a camera, for the HTTP API and for `snapshot`: never an old one as if it were now. */
import type { Frame } from '../../../contract/frame';
import { cameraIn } from '../http/routes';
import type { LatestJpeg, LatestPicture } from '../http/source';
import type { View } from '../view/daemon-view';
import type { Gallery } from './gallery';
import { noPicture, throwUnlessPresent } from './present';

export interface PresentPicture extends LatestPicture {
  /** Its bytes, which may be those of a newer frame. @throws Problem */
  make(): Promise<LatestJpeg & { readonly frame: Frame }>;
}

/**
 * @param width pixels; undefined for all
 * @throws Problem when there is none, or only an old one
 */
export async function presentPicture(
  view: Pick<View, 'cameras' | 'status'>,
  gallery: Gallery,
  id: string,
  width: number | undefined,
): Promise<PresentPicture> {
  const camera = cameraIn(view, id);
  const periodMs = camera.wantedRate > 0 ? 1000 / camera.wantedRate : undefined;
  const newest = await gallery.newest(id);
  // The picture of a disabled camera remains until its folder is removed.
  if (newest === undefined || camera.condition === 'disabled') throw noPicture(id, camera);
  throwUnlessPresent(newest, periodMs, camera, Date.now());
  return {
    etag: gallery.etag(newest, width),
    capturedAt: newest.capturedAt,
    make: async () => {
      const { frame, jpeg } = await gallery.make(newest, width);
      return { etag: gallery.etag(frame, width), capturedAt: frame.capturedAt, frame, jpeg };
    },
  };
}
