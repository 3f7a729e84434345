/** Crash reports of a camera's process: when and why it ended, and its last output. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useState } from './vendor/hooks.js';
import type { ApiCamera, ApiCrash } from '../src/actors/web/view/api';
import { cameraPath, getJson } from './api-client.js';
import { sentence } from './conditions.js';
import { useNow } from './context.js';
import { duration, moment } from './times.js';

/** Empty if there is none. */
export function Crashes({ camera }: { readonly camera: ApiCamera }): VNode | null {
  const crashes = useCrashes(camera);
  const now = useNow();
  if (crashes.length === 0) return null;
  return html`<section class="card crashes" aria-label="Crash reports">
    <div class="card-head"><h3>Crash reports</h3></div>
    <ol>
      ${crashes.map(
        (crash) =>
          html`<li key=${crash.at}>
            <p>
              <strong>${sentence(crash.message)}</strong>
              <small>${moment(crash.at, now)}, after ${duration(crash.at - crash.startedAt)}</small>
            </p>
            <${LastOutput} crash=${crash} />
          </li>`,
      )}
    </ol>
  </section>`;
}

function LastOutput({ crash: { lastLines, ffmpeg } }: { readonly crash: ApiCrash }): VNode {
  const lines = [...ffmpeg.map((line) => `ffmpeg: ${line}`), ...lastLines];
  if (lines.length === 0) return html`<p class="muted">It left no output.</p>`;
  return html`<details>
    <summary>Last output</summary>
    <pre tabindex="0">${lines.join('\n')}</pre>
  </details>`;
}

/** Asked for again when the process has been restarted. */
function useCrashes({ id, restarts, condition }: ApiCamera): readonly ApiCrash[] {
  const [crashes, setCrashes] = useState<readonly ApiCrash[]>([]);
  useEffect(() => {
    let isOver = false;
    getJson<readonly ApiCrash[]>(`${cameraPath(id)}/crashes`).then(
      ({ body }) => {
        if (!isOver) setCrashes(body);
      },
      // The connection's own state says what is wrong.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [id, restarts, condition]);
  return crashes;
}
