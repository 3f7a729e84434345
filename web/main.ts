/** Starts the page. */
import { render } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { AppContext, type App } from './context.js';
import { followHour } from './hour.js';
import { Live } from './live.js';
import { Model, topic } from './model.js';
import { Page } from './page.js';
import { Router } from './router.js';
import { applyTheme } from './theme.js';

const TICK_MS = 1000;

applyTheme();
const model = new Model();
const live = new Live(model);
const app: App = { model, router: new Router(model), connect: () => void live.connect() };
followHour(model);
setInterval(() => {
  if (!document.hidden) model.topics.announce(topic.tick);
}, TICK_MS);
render(html`<${AppContext.Provider} value=${app}><${Page} /><//>`, document.body);
live.start();
