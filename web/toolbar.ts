/** Filters and sorts the cameras: search terms, tags, order and size of the tiles. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useRef } from './vendor/hooks.js';
import { useApp } from './context.js';
import { Icon } from './icons.js';
import { AddCamera } from './manage.js';
import { EVERYTHING, SIZES, SORTS, type Size, type Sort } from './route.js';
import { tagCounts } from './selection.js';

const SORT_NAMES: Readonly<Record<Sort, string>> = {
  state: 'State, worst first',
  name: 'Name',
  coverage: 'Coverage, least first',
  age: 'Picture, oldest first',
};
const SIZE_LETTERS: Readonly<Record<Size, string>> = { small: 'S', medium: 'M', large: 'L' };
const SIZE_NAMES: Readonly<Record<Size, string>> = {
  small: 'Small tiles',
  medium: 'Medium tiles',
  large: 'Large tiles',
};

export function Toolbar({ shown }: { readonly shown: number }): VNode {
  const { model, router } = useApp();
  const { choice } = router.route;
  const total = model.cameras.size;
  const isNarrowed = choice.search !== '' || choice.conditions.length > 0 || choice.tags.length > 0;
  return html`<div class="toolbar" role="search" aria-label="Choose cameras">
    <${Search} />
    <${Tags} />
    <label class="field">
      <span>Sort</span>
      <select
        value=${choice.sort}
        onChange=${(event: Event) => router.choose({ sort: (event.currentTarget as HTMLSelectElement).value as Sort })}
      >
        ${SORTS.map((sort) => html`<option value=${sort}>${SORT_NAMES[sort]}</option>`)}
      </select>
    </label>
    <div class="segments" role="group" aria-label="Size of the tiles">
      ${SIZES.map(
        (size) =>
          html`<button
            aria-pressed=${choice.size === size}
            aria-label=${SIZE_NAMES[size]}
            title=${SIZE_NAMES[size]}
            onClick=${() => router.choose({ size }, 'replace')}
          >
            ${SIZE_LETTERS[size]}
          </button>`,
      )}
    </div>
    <p class="count" role="status">
      ${isNarrowed ? `${shown} of ${total} cameras` : `${total} ${total === 1 ? 'camera' : 'cameras'}`}
    </p>
    ${
      isNarrowed &&
      html`<button
        class="button quiet"
        onClick=${() => router.choose({ ...EVERYTHING, sort: choice.sort, size: choice.size })}
      >
        <${Icon} name="close" />Show all
      </button>`
    }
    <${AddCamera} />
  </div>`;
}

function Search(): VNode {
  const { router } = useApp();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  return html`<label class="search">
    <span class="hidden">Search by name, tag or fault</span>
    <${Icon} name="search" />
    <input
      ref=${input}
      type="search"
      placeholder="Search name, tag or fault"
      aria-keyshortcuts="/"
      autocomplete="off"
      spellcheck=${false}
      value=${router.route.choice.search}
      onInput=${(event: Event) =>
        router.choose({ search: (event.currentTarget as HTMLInputElement).value }, 'replace')}
    />
    <kbd aria-hidden="true">/</kbd>
  </label>`;
}

function Tags(): VNode | null {
  const { model, router } = useApp();
  const menu = useRef<HTMLDetailsElement>(null);
  const { tags } = router.route.choice;
  const counts = tagCounts(model.cameras.values());
  useEffect(() => {
    const close = (event: Event) => {
      if (menu.current?.contains(event.target as Node) === false) menu.current.open = false;
    };
    addEventListener('pointerdown', close);
    addEventListener('focusin', close);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('focusin', close);
    };
  }, []);
  // A chosen tag that no camera has any more must remain removable.
  const names = [...new Set([...counts.map(([tag]) => tag), ...tags])];
  if (names.length === 0) return null;
  const toggle = (tag: string) =>
    router.choose({ tags: tags.includes(tag) ? tags.filter((other) => other !== tag) : [...tags, tag] });
  return html`<details
    class="menu"
    ref=${menu}
    onKeyDown=${(event: KeyboardEvent) => {
      if (event.key !== 'Escape' || menu.current?.open !== true) return;
      menu.current.open = false;
      menu.current.querySelector('summary')?.focus();
    }}
  >
    <summary class="button"><${Icon} name="tag" />${tags.length === 0 ? 'Tags' : tags.join(' + ')}</summary>
    <fieldset>
      <legend class="hidden">Cameras with all of these tags</legend>
      ${names.map(
        (tag) =>
          html`<label key=${tag}>
            <input type="checkbox" checked=${tags.includes(tag)} onChange=${() => toggle(tag)} />
            <span>${tag}</span>
            <span class="number">${counts.find(([name]) => name === tag)?.[1] ?? 0}</span>
          </label>`,
      )}
    </fieldset>
  </details>`;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, select, textarea') !== null;
}
