/** The wall: every chosen camera as a tile, in the chosen order. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useLayoutEffect, useRef } from './vendor/hooks.js';
import type { ApiCamera } from '../src/actors/web/view/api';
import { useApp, useTopics } from './context.js';
import { Icon } from './icons.js';
import { AddCamera } from './manage.js';
import { topic } from './model.js';
import { EVERYTHING } from './route.js';
import { select } from './selection.js';
import { Tile } from './tile.js';
import { Toolbar } from './toolbar.js';

/** While the keyboard or pointer is at work among the tiles, they keep their places. */
const HOLD_MS = 4000;
/** Up to this many cameras get larger tiles. */
const FEW = 6;

export function Wall(): VNode | null {
  const { model, router } = useApp();
  const { choice } = router.route;
  useTopics(topic.wall, topic.route, ...(choice.sort === 'coverage' ? [topic.ledger] : []));
  const order = useHeldOrder(select(model.cameras.values(), choice, model.shares), JSON.stringify(choice));
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    scrollTo(0, router.wallScroll);
    if (router.opened === undefined) return;
    linkOf(list.current, router.opened)?.focus({ preventScroll: true });
    delete router.opened;
  }, []);

  if (!model.known) return null;
  if (model.cameras.size === 0) return html`<${NoCameras} />`;
  return html`
    <${Toolbar} shown=${order.ids.length} />
    ${
      order.ids.length === 0
        ? html`<${NoneChosen} />`
        : html`<ul
            class=${`wall ${choice.size} ${model.cameras.size <= FEW ? 'few' : ''}`}
            aria-label="Cameras"
            ref=${list}
            onKeyDown=${(event: KeyboardEvent) => {
              order.hold();
              moveFocus(event, list.current);
            }}
            onPointerMove=${order.hold}
          >
            ${order.ids.map((id) => html`<${Tile} key=${id} id=${id} />`)}
          </ul>`
    }
  `;
}

/** A tile that someone is about to choose must not jump away; new and lost cameras show at once. */
function useHeldOrder(cameras: readonly ApiCamera[], choice: string): { ids: string[]; hold: () => void } {
  const held = useRef({ ids: [] as string[], choice: '', until: 0 });
  const { current } = held;
  const wanted = cameras.map(({ id }) => id);
  if (current.choice === choice && Date.now() < current.until) {
    const there = new Set(wanted);
    const before = new Set(current.ids);
    current.ids = [...current.ids.filter((id) => there.has(id)), ...wanted.filter((id) => !before.has(id))];
  } else current.ids = wanted;
  current.choice = choice;
  useTopics(current.ids.join() === wanted.join() ? topic.wall : topic.tick);
  return { ids: current.ids, hold: () => (current.until = Date.now() + HOLD_MS) };
}

function linkOf(list: Element | null, id: string): HTMLElement | null {
  return list?.querySelector(`[data-camera="${CSS.escape(id)}"] a`) ?? null;
}

/** Arrow keys go to the next tile in their direction. */
function moveFocus(event: KeyboardEvent, list: Element | null): void {
  const from = (event.target as Element).closest('a');
  if (list === null || from === null || event.altKey || event.ctrlKey || event.metaKey) return;
  const links = [...list.querySelectorAll<HTMLElement>('h2 a')];
  const place = links.indexOf(from);
  const columns = getComputedStyle(list).gridTemplateColumns.split(' ').length;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -place,
    End: links.length - 1 - place,
  };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const next = links[place + step];
  next?.focus({ preventScroll: true });
  next?.closest('li')?.scrollIntoView({ block: 'nearest' });
}

function NoneChosen(): VNode {
  const { router } = useApp();
  const { sort, size } = router.route.choice;
  return html`<div class="empty-state">
    <${Icon} name="search" />
    <h2>No camera matches</h2>
    <p>No camera has this state, these tags and these words at once.</p>
    <button class="button" onClick=${() => router.choose({ ...EVERYTHING, sort, size })}>
      Show all cameras
    </button>
  </div>`;
}

const EXAMPLE = `{ "id": "gate",
  "url": "rtsp://192.168.1.20:554/stream",
  "username": "admin", "password": "\${GATE_PASSWORD}" }`;

function NoCameras(): VNode {
  return html`<div class="empty-state">
    <${Icon} name="camera" />
    <h2>No cameras yet</h2>
    <p>
      Add one here, or to <code>cameras</code> in <code>actors.json</code>. Vigil applies the change within a
      second, and the camera appears here.
    </p>
    <${AddCamera} isPrimary=${true} />
    <pre><code>${EXAMPLE}</code></pre>
    <p><code>node dist/main.js probe URL</code> tells first whether a feed can be read.</p>
  </div>`;
}
