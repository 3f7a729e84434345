/** A strip of coverage: covered time is low and plain, gaps are tall. A gap shows its reason under the pointer and by arrow keys. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useMemo, useState } from './vendor/hooks.js';
import type { ApiLedgerBucket } from '../src/actors/web/view/api';
import { coverage, isGap, missedPeriods, stretches, stretchText, summaryText } from './coverage.js';
import type { Stretch } from './coverage.js';
import { hideTip, showTip } from './tip.js';

const HEIGHT = 20;
/** Height of covered time; what is missed rises above it. */
const LOW = 7;
const LEAST_RISE = 5;

export interface StripProps {
  readonly name: string;
  /** Such as `last hour`. */
  readonly span: string;
  readonly buckets: readonly ApiLedgerBucket[];
  readonly bucketMs: number;
}

export function Strip({ name, span, buckets, bucketMs }: StripProps): VNode {
  const all = useMemo(() => stretches(buckets, bucketMs), [buckets, bucketMs]);
  const [chosen, setChosen] = useState<number>();
  const summary = summaryText(all, coverage(buckets), `In the ${span}`);
  const marked = chosen === undefined ? undefined : all[Math.min(chosen, all.length - 1)];

  const tell = (element: Element, place: number) => {
    const stretch = all[place];
    if (stretch === undefined) return;
    setChosen(place);
    const box = element.getBoundingClientRect();
    const middle = (stretch.first + stretch.last + 1) / 2 / buckets.length;
    showTip(stretchText(stretch), { x: box.left + box.width * middle, top: box.top, bottom: box.bottom });
  };
  const leave = () => {
    setChosen(undefined);
    hideTip();
  };
  const pointed = (event: PointerEvent) => {
    const element = event.currentTarget as Element;
    const box = element.getBoundingClientRect();
    const bucket = Math.floor(((event.clientX - box.left) / box.width) * buckets.length);
    const place = all.findIndex(({ first, last }) => first <= bucket && bucket <= last);
    if (place >= 0) tell(element, place);
  };
  const pressed = (event: KeyboardEvent) => {
    const place = nextPlace(event.key, chosen, all.length);
    if (event.key === 'Escape') hideTip();
    if (place === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    tell(event.currentTarget as Element, place);
  };

  if (all.every(({ kind }) => kind === 'none'))
    return html`<div class="strip">
      <span class="nothing">Nothing recorded in the ${span}</span>
    </div>`;
  return html`<div
    class="strip"
    role="slider"
    tabindex=${all.some(isGap) || all.length > 1 ? 0 : -1}
    aria-label=${`Coverage of ${name}, ${span}`}
    aria-valuemin="1"
    aria-valuemax=${all.length}
    aria-valuenow=${(chosen ?? all.length - 1) + 1}
    aria-valuetext=${marked === undefined ? summary : stretchText(marked)}
    aria-orientation="horizontal"
    onPointerMove=${pointed}
    onPointerDown=${pointed}
    onPointerLeave=${leave}
    onFocus=${(event: FocusEvent) =>
      (event.currentTarget as Element).matches(':focus-visible') &&
      tell(event.currentTarget as Element, firstPlace(all))}
    onBlur=${leave}
    onKeyDown=${pressed}
  >
    <svg viewBox=${`0 0 ${buckets.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      ${all.map((stretch) => html`<${Bars} stretch=${stretch} />`)}
      ${
        marked !== undefined &&
        html`<rect class="marked" x=${marked.first} y="0" width=${width(marked)} height=${HEIGHT} />`
      }
    </svg>
  </div>`;
}

function Bars({ stretch }: { readonly stretch: Stretch }): VNode {
  const { first, kind } = stretch;
  const bar = (name: string, y: number, height: number) =>
    html`<rect class=${name} x=${first} y=${y} width=${width(stretch)} height=${height} />`;
  if (kind === 'missed') return bar('missed', 0, HEIGHT);
  if (kind !== 'partial') return bar(kind, HEIGHT - LOW, LOW);
  const share = missedPeriods(stretch) / stretch.periods;
  const rise = Math.max(LEAST_RISE, share * (HEIGHT - LOW));
  return html`${bar('covered', HEIGHT - LOW, LOW)}${bar('missed', HEIGHT - LOW - rise, rise)}`;
}

function width({ first, last }: Stretch): number {
  return last - first + 1;
}

/** The newest gap: what an operator looks for first. */
function firstPlace(all: readonly Stretch[]): number {
  const newest = all.findLastIndex(isGap);
  return newest < 0 ? all.length - 1 : newest;
}

function nextPlace(key: string, chosen: number | undefined, count: number): number | undefined {
  const place = chosen ?? count - 1;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, place - 1);
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(count - 1, place + 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
