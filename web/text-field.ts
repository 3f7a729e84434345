/** A line of text in a form, with its label and help. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';

export function Text({
  name,
  label,
  value,
  set,
  help = '',
  example = '',
  type = 'text',
  mode,
}: {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly set: (value: string) => void;
  readonly help?: string;
  readonly example?: string;
  readonly type?: string;
  readonly mode?: string;
}): VNode {
  return html`<div class="text">
    <label for=${`f-${name}`}>${label}</label>
    <input
      id=${`f-${name}`}
      type=${type}
      value=${value}
      placeholder=${example}
      inputmode=${mode}
      autocomplete=${type === 'password' ? 'new-password' : 'off'}
      autocapitalize="off"
      spellcheck=${false}
      aria-describedby=${help === '' ? undefined : `f-${name}-help`}
      onInput=${(event: Event) => set((event.currentTarget as HTMLInputElement).value)}
    />
    ${help !== '' && html`<p class="help" id=${`f-${name}-help`}>${help}</p>`}
  </div>`;
}
