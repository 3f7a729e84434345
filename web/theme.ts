/** Light, dark, or as the system has it. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useState } from './vendor/hooks.js';
import { Icon } from './icons.js';

const THEMES = ['automatic', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const KEY = 'vigil.theme';

/** The stored theme; a browser may forbid storage. */
function kept(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'automatic';
  } catch {
    return 'automatic';
  }
}

function keep(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage, the theme lasts until the page is closed.
  }
}

export function applyTheme(theme: Theme = kept()): void {
  if (theme === 'automatic') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function ThemeSwitch(): VNode {
  const [theme, setTheme] = useState(kept());
  const next = () => {
    const following = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'automatic';
    keep(following);
    applyTheme(following);
    setTheme(following);
  };
  return html`<button
    class="button quiet theme"
    aria-label=${`Colours: ${theme}`}
    title=${`Colours: ${theme}`}
    onClick=${next}
  >
    <${Icon} name=${theme} />
  </button>`;
}
