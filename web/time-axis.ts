/** Times below a strip, at round hours or quarters of the operator's clock. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { clockTime } from './times.js';

const MINUTE_MS = 60_000;
/** Minutes between two times; the first of which no more than {@link MOST} fit is taken. */
const STEPS = [15, 30, 60, 240, 480];
const MOST = 7;
/** Share of the width at either end in which the letters of a time would be cut off. */
const EDGE = 0.03;

export function TimeAxis({ from, to }: { readonly from: number; readonly to: number }): VNode {
  return html`<div class="axis" aria-hidden="true">
    ${axisTimes(from, to).map(
      (at) =>
        html`<span key=${at} style=${{ left: `${((100 * (at - from)) / (to - from)).toFixed(2)}%` }}
          >${clockTime(at)}</span
        >`,
    )}
  </div>`;
}

/** Round by the clock on the wall, whose zone may be half an hour off the next and change within the span. */
function axisTimes(from: number, to: number): number[] {
  const step = STEPS.find((minutes) => (to - from) / (minutes * MINUTE_MS) <= MOST) ?? Math.max(...STEPS);
  const times: number[] = [];
  for (let at = Math.ceil(from / (15 * MINUTE_MS)) * 15 * MINUTE_MS; at < to; at += 15 * MINUTE_MS) {
    const clock = new Date(at);
    const share = (at - from) / (to - from);
    const isRound = (clock.getHours() * 60 + clock.getMinutes()) % step === 0;
    if (isRound && share > EDGE && share < 1 - EDGE) times.push(at);
  }
  return times;
}
