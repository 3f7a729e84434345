/** A camera's newest picture with its age; what is old never looks like the present. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';
import type { ApiCamera } from '../src/actors/web/view/api';
import { isOld } from './ages.js';
import { loadPicture } from './api-client.js';
import { CONDITION_NAMES, reasonOf, sentence } from './conditions.js';
import { useApp, useLost, useNow } from './context.js';
import { ConditionIcon } from './icons.js';
import { countInView, useInView } from './in-view.js';
import { topic } from './model.js';
import { PictureFeed, type PictureView } from './picture-feed.js';
import { duration, shortDuration } from './times.js';

/** For all pictures in view together: with more of them, each is renewed less often. */
const PICTURES_PER_SECOND = 25;

const NO_CONNECTION = 'No connection to Vigil.';
/** Widths that are asked for, in pixels: few, so that the server can keep what it has scaled. */
const WIDTHS = [160, 320, 640, 1280, 1920];

export function Picture({ camera }: { readonly camera: ApiCamera }): VNode {
  const frame = useRef<HTMLDivElement>(null);
  const isInView = useInView(frame);
  return html`<div class="picture" ref=${frame}>
    ${isInView && html`<${LivePicture} camera=${camera} width=${widthFor(frame.current)} />`}
  </div>`;
}

function LivePicture({ camera, width }: { readonly camera: ApiCamera; readonly width: number }): VNode {
  const { src, capturedAt, why } = usePicture(camera.id, width);
  const now = useNow();
  if (src === undefined || capturedAt === undefined)
    return html`<${NoPicture} camera=${camera} why=${why} />`;
  const ageMs = Math.max(0, now - capturedAt);
  const old = isOld(ageMs, camera.wantedRate);
  return html`
    <img class=${old ? 'old' : ''} src=${src} alt=${`Picture of ${camera.id}`} />
    ${
      old
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
  const lost = useLost();
  return html`<div class="veil">
    <strong>${duration(ageMs)} old</strong>
    <span class="why"
      >${lost === undefined ? reasonOf(camera) || 'No newer picture has come.' : NO_CONNECTION}</span
    >
  </div>`;
}

interface NoPictureProps {
  readonly camera: ApiCamera;
  readonly why: string | undefined;
}

/** Empty while the first picture is being loaded. */
function NoPicture({ camera, why }: NoPictureProps): VNode | null {
  const now = useNow();
  const { condition, picture } = camera;
  const text = useLost() === undefined ? reasonOf(camera) || sentence(why ?? '') : NO_CONNECTION;
  if (text === '') return null;
  return html`<div class="veil empty">
    <${ConditionIcon} condition=${condition} />
    <strong>
      ${
        condition === 'disabled'
          ? CONDITION_NAMES[condition]
          : picture === undefined
            ? 'No picture yet'
            : `No picture for ${shortDuration(now - picture.capturedAt)}`
      }
    </strong>
    <span class="why">${text}</span>
  </div>`;
}

function usePicture(id: string, width: number): PictureView {
  const { model } = useApp();
  const [view, setView] = useState<PictureView>({});
  useEffect(() => {
    const feed: PictureFeed = new PictureFeed({
      load: (signal) =>
        loadPicture(`api/cameras/${encodeURIComponent(id)}/latest.jpg?width=${width}`, signal),
      release: (src) => URL.revokeObjectURL(src),
      paceMs: () => (1000 * countInView()) / PICTURES_PER_SECOND,
      onChange: () => setView(feed.view),
    });
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
  }, [model, id, width]);
  return view;
}
