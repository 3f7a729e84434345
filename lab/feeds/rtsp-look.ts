/** A look at an RTSP camera: its first picture, or its fault. */
import { type TestContext } from 'node:test';
import { FeedAdaptation } from '../../src/actors/camera/capture/adaptation';
import { CameraClock } from '../../src/actors/camera/clock/camera-clock';
import { LinkDelay } from '../../src/actors/camera/clock/link-delay';
import { captureFeed } from '../../src/actors/camera/capture/capture';
import type { Picture } from '../../src/actors/camera/pictures/decoder';
import { SamplePlan } from '../../src/actors/camera/sampling/sample-plan';
import type { CameraSource } from '../../src/config/topology';
import { Fault } from '../../src/fault/fault';
import { cameraSpec } from '../camera-spec';
import { clip, CLIP_DEFAULTS } from './clips';
import { startFakeCamera, type FakeCamera, type FakeCameraOptions } from './fake-camera';

/** A fake RTSP camera, until the test ends. */
export async function fakeCamera(
  t: TestContext,
  options: Partial<FakeCameraOptions> = {},
): Promise<FakeCamera> {
  const camera = await startFakeCamera({ clip: await clip(), fps: CLIP_DEFAULTS.fps, ...options });
  t.after(() => camera.stop());
  return camera;
}

export function streamOf(url: string, transport: 'tcp' | 'udp' = 'tcp'): CameraSource {
  return { kind: 'stream', url, transport };
}

/** Opens the feed, as often as is worth its while, until its first picture or the fault. */
export async function look(source: CameraSource, connectMs = 20_000) {
  const adaptation = new FeedAdaptation(cameraSpec({ source, format: 'keyframe', connectMs }));
  const ignore = () => undefined;
  const done = new AbortController();
  let picture: Picture | undefined;
  let fault: Fault | undefined;
  const outcome = { onLost: ignore, onStream: ignore, onClock: ignore, onStderr: ignore };
  const onPicture = (first: Picture) => {
    picture ??= first;
    done.abort();
  };
  const shared = { ...outcome, onPicture, ffmpeg: 'ffmpeg', clock: new CameraClock() };
  while (picture === undefined && fault === undefined)
    try {
      const { camera, learned } = adaptation;
      await captureFeed(
        { ...shared, camera, learned, plan: new SamplePlan(1000), delay: new LinkDelay(camera.maxDelayMs) },
        done.signal,
      );
    } catch (error) {
      if (!adaptation.learn(error)) fault = error as Fault;
    }
  return { picture, fault, transport: adaptation.facts.transport };
}
