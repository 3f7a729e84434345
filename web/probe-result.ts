/** What a probe of a feed found. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import type { ApiProbe } from '../src/actors/web/view/api';
import { sentence } from './conditions.js';
import { Icon } from './icons.js';

export function ProbeResult({ probe }: { readonly probe: ApiProbe }): VNode {
  const { fault, jpeg } = probe;
  return html`<div class="probe">
    ${
      fault === null
        ? html`<p class="good"><${Icon} name="good" />The feed gives pictures.</p>`
        : html`<p class="fault"><${Icon} name="problem" /><span>${sentence(fault.message)}</span></p>`
    }
    ${jpeg !== undefined && html`<img src=${`data:image/jpeg;base64,${jpeg}`} alt="First picture of the feed" />`}
    ${
      probe.codec !== null &&
      html`<dl class="facts">
        ${probeFacts(probe).map(
          ([name, text]) =>
            html`<div key=${name}>
              <dt>${name}</dt>
              <dd>${text}</dd>
            </div>`,
        )}
      </dl>`
    }
  </div>`;
}

function probeFacts(probe: ApiProbe): [name: string, text: string][] {
  const { codec, width, height, picturesPerSecond, keyframeIntervalMs, firstPictureMs } = probe;
  const facts: [string, string | undefined][] = [
    ['Codec', codec ?? undefined],
    ['Picture', width === null ? undefined : `${width} × ${height ?? 0}`],
    ['Rate', picturesPerSecond === null ? undefined : `${picturesPerSecond} a second`],
    ['Keyframe interval', keyframeIntervalMs === null ? undefined : `${keyframeIntervalMs.mean / 1000} s`],
    ['First picture', firstPictureMs === null ? undefined : `after ${firstPictureMs} ms`],
    ['Transport', probe.transport ?? undefined],
  ];
  return facts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]));
}
