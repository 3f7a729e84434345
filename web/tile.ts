/** One camera of the wall. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useRef } from './vendor/hooks.js';
import type { ApiCamera } from '../src/actors/web/view/api';
import { CONDITION_NAMES } from './conditions.js';
import { useApp, useCamera, useLost, useNow, useTopics } from './context.js';
import { ConditionIcon } from './icons.js';
import { useInView } from './in-view.js';
import { topic } from './model.js';
import { Picture } from './picture.js';
import { Strip } from './strip.js';
import { dateTime, duration, moment, rateText } from './times.js';

export function Tile({ id }: { readonly id: string }): VNode | null {
  const { router } = useApp();
  const camera = useCamera(id);
  const body = useRef<HTMLDivElement>(null);
  const isInView = useInView(body);
  if (camera === undefined) return null;
  return html`<li class=${`tile is-${camera.condition}`} data-camera=${id}>
    <div class="tile-body" ref=${body}>
      <div class="tile-head">
        <h2><a href=${router.address(id)} onClick=${follow(() => router.go(id))}>${id}</a></h2>
        <span class="rate" title=${`Frames delivered, of ${rateText(camera.wantedRate)} wanted`}>
          ${rateText(camera.rate)}
        </span>
      </div>
      <${Standing} camera=${camera} isTicking=${isInView} />
      ${isInView ? html`<${HourStrip} id=${id} />` : html`<div class="strip"></div>`}
    </div>
    <${Picture} camera=${camera} />
  </li>`;
}

/** The condition as text, and its duration; out of view, where times are not updated, its start. */
function Standing({ camera, isTicking }: { readonly camera: ApiCamera; readonly isTicking: boolean }): VNode {
  return html`<p class="standing">
    <${ConditionIcon} condition=${camera.condition} />
    <span class=${`condition-name of-${camera.condition}`}>${CONDITION_NAMES[camera.condition]}</span>
    ${
      isTicking
        ? html`<${For} since=${camera.since} />`
        : html`<span class="for">since ${dateTime(camera.since)}</span>`
    }
  </p>`;
}

/** While the connection is lost, shows the time of the last information instead of a duration. */
export function For({ since }: { readonly since: number }): VNode {
  const now = useNow();
  const lost = useLost();
  if (lost !== undefined) return html`<span class="for">at ${moment(lost, Date.now())}</span>`;
  return html`<span class="for" title=${`Since ${moment(since, now)}`}>for ${duration(now - since)}</span>`;
}

export function HourStrip({ id }: { readonly id: string }): VNode {
  const { model } = useApp();
  useTopics(topic.ledger);
  const buckets = model.hour.cameras[id] ?? [];
  return html`<${Strip} name=${id} span="last hour" buckets=${buckets} bucketMs=${model.hour.bucketMs} />`;
}

/** A click that opens no other window stays in this page. */
export function follow(go: () => void): (event: MouseEvent) => void {
  return (event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go();
  };
}
