/** A camera's newest picture with its age; what is old never looks like the present. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useMemo, useRef, useState } from './vendor/hooks.js';
import type { ApiCamera } from '../src/actors/web/api';
import { isOld } from './ages.js';
import { whyNoPicture } from './api-client.js';
import { CONDITION_WORDS, isWanted, reasonOf, sentence } from './conditions.js';
import { useApp, useNow } from './context.js';
import { ConditionIcon } from './icons.js';
import { countInView, useInView } from './in-view.js';
import { topic } from './model.js';
import { PictureFeed, type PictureView } from './picture-feed.js';
import { duration, shortDuration } from './times.js';

/** Of all pictures in view together: with more of them, each is renewed more rarely. */
const PICTURES_PER_SECOND = 25;

/** Widths that are asked for, in pixels: few, so that the server can keep what it has scaled. */
const WIDTHS = [320, 480, 640, 960, 1280, 1920];

export function Picture({ camera }: { readonly camera: ApiCamera }): VNode {
  const frame = useRef<HTMLDivElement>(null);
  const isInView = useInView(frame);
  return html`<div class="picture" ref=${frame}>
    ${isInView && html`<${LivePicture} camera=${camera} width=${widthFor(frame.current)} />`}
  </div>`;
}

function LivePicture({ camera, width }: { readonly camera: ApiCamera; readonly width: number }): VNode {
  const { view, feed } = usePictureFeed(camera.id, width);
  const now = useNow();
  const ageMs = view.capturedAt === undefined ? undefined : Math.max(0, now - view.capturedAt);
  const old = ageMs !== undefined && isOld(ageMs, camera.wantedRate);
  const failed = async () => feed.failed((await whyNoPicture(view.src ?? '')) ?? '');
  return html`
    ${
      view.src !== undefined &&
      html`<img
        class=${old ? 'old' : ''}
        src=${view.src}
        alt=${`Picture of ${camera.id}`}
        onLoad=${() => feed.loaded()}
        onError=${() => void failed()}
      />`
    }
    ${
      ageMs === undefined
        ? html`<${NoPicture} camera=${camera} why=${view.why} isLoading=${view.src !== undefined} />`
        : old
          ? html`<${OldPicture} camera=${camera} ageMs=${ageMs} />`
          : html`<span class="age">${shortDuration(ageMs)} ago</span>`
    }
  `;
}

function widthFor(frame: Element | null): number {
  const pixels = (frame?.clientWidth ?? 0) * devicePixelRatio;
  return WIDTHS.find((width) => width >= pixels) ?? Math.max(...WIDTHS);
}

function OldPicture({ camera, ageMs }: { readonly camera: ApiCamera; readonly ageMs: number }): VNode {
  return html`<div class="veil">
    <strong>${duration(ageMs)} old</strong>
    <span class="why">${reasonOf(camera) || 'No newer picture has come.'}</span>
  </div>`;
}

interface NoPictureProps {
  readonly camera: ApiCamera;
  readonly why: string | undefined;
  readonly isLoading: boolean;
}

function NoPicture({ camera, why, isLoading }: NoPictureProps): VNode | null {
  const now = useNow();
  if (isLoading) return null;
  const words = reasonOf(camera) || sentence(why ?? '');
  const capturedAt = camera.picture?.capturedAt;
  return html`<div class="veil empty">
    <${ConditionIcon} condition=${camera.condition} />
    <strong>
      ${
        !isWanted(camera.condition)
          ? CONDITION_WORDS[camera.condition]
          : capturedAt === undefined
            ? 'No picture yet'
            : `No picture for ${shortDuration(now - capturedAt)}`
      }
    </strong>
    ${words !== '' && html`<span class="why">${words}</span>`}
  </div>`;
}

function usePictureFeed(
  id: string,
  width: number,
): { readonly view: PictureView; readonly feed: PictureFeed } {
  const { model } = useApp();
  const [view, setView] = useState<PictureView>({});
  const feed = useMemo(
    () =>
      new PictureFeed({
        address: (capturedAt) =>
          `api/cameras/${encodeURIComponent(id)}/latest.jpg?width=${width}&at=${capturedAt}`,
        paceMs: () => (1000 * countInView()) / PICTURES_PER_SECOND,
        onChange: () => setView(feed.view),
      }),
    [id, width],
  );
  useEffect(() => {
    const told = () => feed.announced(model.cameras.get(id)?.picture?.capturedAt);
    const showWhereSeen = () => feed.show(!document.hidden);
    const end = model.topics.subscribe(topic.picture(id), told);
    document.addEventListener('visibilitychange', showWhereSeen);
    told();
    showWhereSeen();
    return () => {
      end();
      document.removeEventListener('visibilitychange', showWhereSeen);
      feed.show(false);
    };
  }, [feed]);
  return { view, feed };
}
