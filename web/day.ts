/** The ledger's last 24 hours of one camera: a strip with hours below it, and its gaps as a table. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useState } from './vendor/hooks.js';
import type { ApiLedgerBucket, ApiLedger } from '../src/actors/web/view/api';
import { getJson } from './api-client.js';
import { useApp } from './context.js';
import {
  coverage,
  isGap,
  mainReason,
  missedPeriods,
  percentText,
  stretches,
  type Stretch,
} from './coverage.js';
import { HOUR_MS, ledgerAddress } from './hour.js';
import { reasonText } from './reasons.js';
import { Strip } from './strip.js';
import { TimeAxis } from './time-axis.js';
import { clockTime, countText } from './times.js';

const DAY_MS = 24 * HOUR_MS;
/** Buckets of five minutes. */
const BUCKETS = 288;
const EVERY_MS = 60_000;
const MOST_GAPS = 12;

interface Day {
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
  readonly buckets: readonly ApiLedgerBucket[];
}

export function DayOf({ id }: { readonly id: string }): VNode {
  const day = useDay(id);
  if (day === undefined) return html`<p class="muted">Reading the last 24 hours…</p>`;
  const { buckets, bucketMs } = day;
  return html`
    <${CardHead} title="Last 24 hours" share=${coverage(buckets)} />
    <${Strip} name=${id} span="last 24 hours" buckets=${buckets} bucketMs=${bucketMs} />
    <${TimeAxis} from=${day.from} to=${day.to} />
    <${Gaps} gaps=${stretches(buckets, bucketMs).filter(isGap)} />
  `;
}

/** @param share of the frames that was delivered */
export function CardHead({
  title,
  share,
}: {
  readonly title: string;
  readonly share: number | undefined;
}): VNode {
  return html`<div class="card-head">
    <h3>${title}</h3>
    ${share !== undefined && html`<p><strong>${percentText(share)}</strong> delivered</p>`}
  </div>`;
}

function useDay(id: string): Day | undefined {
  const { model } = useApp();
  const [day, setDay] = useState<Day>();
  useEffect(() => {
    let isOver = false;
    const ask = async () => {
      if (document.hidden || model.link.name !== 'live') return;
      try {
        const { body } = await getJson<ApiLedger>(ledgerAddress(model.now(), DAY_MS, BUCKETS, id));
        if (!isOver) setDay({ ...body, buckets: body.cameras[id] ?? [] });
      } catch {
        // The state of the connection shows what is wrong; the strip stays unchanged.
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    const end = model.topics.subscribe('link', () => void ask());
    return () => {
      isOver = true;
      clearInterval(timer);
      end();
    };
  }, [model, id]);
  return day;
}

function Gaps({ gaps }: { readonly gaps: readonly Stretch[] }): VNode {
  if (gaps.length === 0) return html`<p class="muted">No frame was missed.</p>`;
  const newest = [...gaps].reverse().slice(0, MOST_GAPS);
  return html`<div class="table">
    <table>
      <caption>
        ${gaps.length > newest.length ? `The newest ${newest.length} of ${gaps.length} stretches with gaps` : 'Stretches with gaps, newest first'}
      </caption>
      <thead>
        <tr>
          <th scope="col">Between</th>
          <th scope="col" class="number">Missed</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        ${newest.map(
          (gap) =>
            html`<tr key=${gap.from}>
              <td>${clockTime(gap.from)} – ${clockTime(gap.to)}</td>
              <td class="number">${countText(missedPeriods(gap))}</td>
              <td>${reasonText(mainReason(gap) ?? '')}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
