/** Icons as inline SVG: each condition has its own shape, so that colour is never needed to distinguish them. */
import type { VNode } from './vendor/preact.js';
import type { CameraCondition } from '../src/actors/web/view/api';
import { html } from './vendor/html.js';

const CONDITION_SHAPES: Readonly<Record<CameraCondition, VNode | VNode[]>> = {
  // A filled disc with a tick.
  delivering: html`<circle cx="8" cy="8" r="7" class="fill" /><path
      d="M4.8 8.2l2.2 2.2 4.2-4.6"
      class="cut"
    />`,
  // A ring that is half drawn.
  starting: html`<circle cx="8" cy="8" r="6" class="line faint" /><path
      d="M8 2a6 6 0 0 1 6 6"
      class="line"
    />`,
  // Two bars in a ring.
  waiting: html`<circle cx="8" cy="8" r="6.2" class="line" /><path
      d="M6.2 5.6v4.8M9.8 5.6v4.8"
      class="line"
    />`,
  // A triangle with an exclamation mark.
  offline: html`<path d="M8 1.2L15.4 14.4H.6z" class="fill round" /><path d="M8 6v4" class="cut" /><circle
      cx="8"
      cy="12.2"
      r="1"
      class="cut-dot"
    />`,
  // An octagon with a bar.
  quarantined: html`<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" class="fill" /><path d="M4.8 8h6.4" class="cut" />`,
  // An empty ring with a stroke through it.
  disabled: html`<circle cx="8" cy="8" r="6.2" class="line" /><path d="M3.7 12.3l8.6-8.6" class="line" />`,
};

export function ConditionIcon({ condition }: { readonly condition: CameraCondition }): VNode {
  return html`<svg class=${`icon of-${condition}`} viewBox="0 0 16 16" aria-hidden="true">
    ${CONDITION_SHAPES[condition]}
  </svg>`;
}

const SHAPES = {
  search: html`<circle cx="7" cy="7" r="4.5" class="line" /><path d="M10.5 10.5L14 14" class="line" />`,
  back: html`<path d="M10 3L5 8l5 5" class="line" />`,
  next: html`<path d="M6 3l5 5-5 5" class="line" />`,
  close: html`<path d="M4 4l8 8M12 4l-8 8" class="line" />`,
  add: html`<path d="M8 3v10M3 8h10" class="line" />`,
  edit: html`<path d="M3 13l.8-3L11 2.8l2.2 2.2L6 12.2z" class="line" />`,
  restart: html`<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3" class="line" />`,
  enable: html`<path d="M5 3l8 5-8 5z" class="line" />`,
  disable: html`<path d="M5.5 3v10M10.5 3v10" class="line" />`,
  tag: html`<path d="M2 2h5.5L14 8.5 8.5 14 2 7.5z" class="line" /><circle
      cx="5"
      cy="5"
      r="1"
      class="fill"
    />`,
  light: html`<circle cx="8" cy="8" r="3" class="line" /><path
      d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6L13 13M3 13l1.4-1.4M11.6 4.4L13 3"
      class="line"
    />`,
  dark: html`<path d="M13 9.8A5.6 5.6 0 0 1 6.2 3 5.6 5.6 0 1 0 13 9.8z" class="line" />`,
  automatic: html`<circle cx="8" cy="8" r="6" class="line" /><path d="M8 2a6 6 0 0 1 0 12z" class="fill" />`,
  problem: html`<path d="M8 1.2L15.4 14.4H.6z" class="fill round" /><path d="M8 6v4" class="cut" /><circle
      cx="8"
      cy="12.2"
      r="1"
      class="cut-dot"
    />`,
  good: html`<circle cx="8" cy="8" r="7" class="fill" /><path d="M4.8 8.2l2.2 2.2 4.2-4.6" class="cut" />`,
  camera: html`<rect x="1.5" y="4" width="9" height="8" rx="1.5" class="line" /><path
      d="M10.5 7l4-2v6l-4-2"
      class="line"
    />`,
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name }: { readonly name: IconName }): VNode {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[name]}</svg>`;
}

/** An eye whose pupil is a lens: Vigil's mark. */
export function Mark(): VNode {
  return html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M1.5 12C4 7 7.7 4.5 12 4.5S20 7 22.5 12C20 17 16.3 19.5 12 19.5S4 17 1.5 12z" class="line" />
    <circle cx="12" cy="12" r="4" class="fill" />
    <circle cx="13.4" cy="10.6" r="1.2" class="glint" />
  </svg>`;
}
