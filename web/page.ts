/** The page as a whole: header, what is wrong, and the wall or one camera. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect } from './vendor/hooks.js';
import { CameraView } from './camera-view.js';
import { clockDifference, Connection } from './connection.js';
import { useApp, useNow, useTopics } from './context.js';
import { Mark } from './icons.js';
import { topic } from './model.js';
import { SignIn } from './sign-in.js';
import { Problems, Summary } from './summary.js';
import { ThemeSwitch } from './theme.js';
import { clockTimeSeconds, zoneName } from './times.js';
import { Wall } from './wall.js';

export function Page(): VNode {
  const { model, router } = useApp();
  useTopics(topic.link, topic.route);
  const { camera } = router.route;
  const isSignedOut = model.link.name === 'signed-out';
  useEffect(() => {
    document.title = camera === undefined || isSignedOut ? 'Vigil' : `${camera} – Vigil`;
  }, [camera, isSignedOut]);
  if (isSignedOut) return html`<${SignIn} />`;
  return html`
    <a class="skip" href="#content" onClick=${skip}>Skip to the cameras</a>
    <header class="top">
      <h1>
        <a href="./" onClick=${home(router)}><${Mark} />Vigil</a>
      </h1>
      <${Clock} />
      <${ThemeSwitch} />
    </header>
    <${Summary} />
    <${Connection} />
    <main id="content" tabindex="-1" class=${model.link.name === 'lost' ? 'stale' : ''}>
      <${Problems} />
      ${camera === undefined ? html`<${Wall} />` : html`<${CameraView} id=${camera} />`}
    </main>
    <${Footer} />
  `;
}

/** Moves the focus without changing the address, whose hash selects what is shown. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function home(router: { go: (camera: undefined) => void }): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    router.go(undefined);
  };
}

function Clock(): VNode {
  const now = useNow();
  return html`<p class="clock"><span>${clockTimeSeconds(now)}</span> <small>${zoneName(now)}</small></p>`;
}

function Footer(): VNode {
  const { model } = useApp();
  useTopics(topic.state);
  const difference = clockDifference(model);
  return html`<footer class="bottom">
    ${model.state !== undefined && html`<span>Vigil ${model.state.version}</span>`}
    <span>Times are in ${zoneName(Date.now())}.</span>
    ${difference !== undefined && html`<span>${difference}</span>`}
  </footer>`;
}
