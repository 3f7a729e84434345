/** One camera: a larger picture, its state and why, its facts, 24 hours of its ledger. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useRef } from './vendor/hooks.js';
import type { ApiCamera } from '../src/actors/web/view/api';
import { CONDITION_NAMES, reasonOf } from './conditions.js';
import { useApp, useCamera, useNow, useTopics } from './context.js';
import { Crashes } from './crashes.js';
import { CardHead, DayOf } from './day.js';
import { cameraFacts } from './facts.js';
import { ConditionIcon, Icon } from './icons.js';
import { Manage } from './manage.js';
import { topic } from './model.js';
import { Picture } from './picture.js';
import { select } from './selection.js';
import { follow, For, HourStrip } from './tile.js';
import { TimeAxis } from './time-axis.js';
import { moment } from './times.js';

export function CameraView({ id }: { readonly id: string }): VNode | null {
  const { model, router } = useApp();
  const camera = useCamera(id);
  const title = useRef<HTMLHeadingElement>(null);
  useTopics(topic.wall);
  useEffect(() => {
    scrollTo(0, 0);
    title.current?.focus({ preventScroll: true });
  }, [id, camera === undefined]);
  if (!model.known) return null;
  return html`<article class="camera">
    <nav class="camera-head" aria-label="Cameras">
      <a class="button" href=${router.address()} onClick=${follow(() => router.go(undefined))}>
        <${Icon} name="back" />All cameras
      </a>
      <div class="name">
        <h2 tabindex="-1" ref=${title}>${id}</h2>
        ${camera?.tags.map((tag) => html`<span class="tag" key=${tag}>${tag}</span>`)}
      </div>
      <span class="spring"></span>
      <${Neighbours} id=${id} />
    </nav>
    ${
      camera === undefined
        ? html`<p>There is no camera <b>${id}</b> in Vigil’s configuration.</p>`
        : html`<div class="camera-body">
            <div class="camera-main">
              <${Picture} key=${id} camera=${camera} />
              <section class="card coverage" aria-label="Coverage">
                <${Hour} id=${id} />
                <${DayOf} key=${id} id=${id} />
              </section>
            </div>
            <div class="camera-side">
              <${Standing} camera=${camera} />
              <${Manage} key=${id} camera=${camera} />
              <${Facts} camera=${camera} />
              <${Crashes} key=${`crashes of ${id}`} camera=${camera} />
            </div>
          </div>`
    }
  </article>`;
}

/** Links to the cameras before and after this one in the wall's order; Escape returns to the wall. */
function Neighbours({ id }: { readonly id: string }): VNode {
  const { model, router } = useApp();
  const { choice } = router.route;
  const ids = select(model.cameras.values(), choice, model.shares).map((camera) => camera.id);
  const place = ids.indexOf(id);
  const step = (by: number, name: string, icon: string) => {
    const other = place < 0 ? undefined : ids[place + by];
    return (
      other !== undefined &&
      html`<a
        class="button quiet"
        href=${router.address(other)}
        aria-label=${`${name} camera: ${other}`}
        title=${`${name} camera: ${other}`}
        onClick=${follow(() => router.go(other))}
        ><${Icon} name=${icon}
      /></a>`
    );
  };
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) router.go(undefined);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [router]);
  return html`<div>${step(-1, 'Previous', 'back')}${step(1, 'Next', 'next')}</div>`;
}

function Hour({ id }: { readonly id: string }): VNode {
  const { model } = useApp();
  useTopics(topic.ledger);
  const { from, to } = model.hour;
  return html`
    <${CardHead} title="Last hour" share=${model.shares.get(id)} />
    <${HourStrip} id=${id} />
    ${to > from && html`<${TimeAxis} from=${from} to=${to} />`}
  `;
}

function Standing({ camera }: { readonly camera: ApiCamera }): VNode {
  const now = useNow();
  const why = reasonOf(camera);
  return html`<section class=${`card state is-${camera.condition}`} aria-label="State">
    <p class="state-name">
      <${ConditionIcon} condition=${camera.condition} />
      <span class=${`of-${camera.condition}`}>${CONDITION_NAMES[camera.condition]}</span>
    </p>
    <p class="muted"><${For} since=${camera.since} />, since ${moment(camera.since, now)}</p>
    ${why !== '' && html`<p class="fault">${why}</p>`}
    ${camera.fault?.at !== undefined && html`<p class="muted">Reported at ${moment(camera.fault.at, now)}</p>`}
  </section>`;
}

function Facts({ camera }: { readonly camera: ApiCamera }): VNode {
  const now = useNow();
  return html`<section class="card known" aria-label="Facts">
    <dl class="facts">
      ${cameraFacts(camera, now).map(
        ({ name, text, note }) =>
          html`<div key=${name}>
            <dt>${name}</dt>
            <dd>${text}${note !== undefined && html`<small>${note}</small>`}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}
