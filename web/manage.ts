/** Operations on a camera: edit, probe, restart, disable, remove. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useState } from './vendor/hooks.js';
import type { ApiCamera, ApiEdit, ApiPlan, ApiProbe } from '../src/actors/web/view/api';
import { cameraPath, PROBE_TIMEOUT_MS, sendJson } from './api-client.js';
import { CameraForm, Faults, Plan } from './camera-form.js';
import { useApp } from './context.js';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';
import { ProbeResult } from './probe-result.js';

const WHATEVER = { 'if-match': '*' };

export function Manage({ camera }: { readonly camera: ApiCamera }): VNode {
  const { router } = useApp();
  const { id, condition } = camera;
  const [isEditing, setEditing] = useState(false);
  const [removal, setRemoval] = useState<ApiPlan>();
  const [text, setText] = useState('');
  const [fault, setFault] = useState<Error>();
  const [probe, setProbe] = useState<ApiProbe>();
  const [isBusy, setBusy] = useState(false);

  const attempt = async (doing: string, act: () => Promise<string>) => {
    setBusy(true);
    setFault(undefined);
    setText(doing);
    try {
      setText(await act());
    } catch (error) {
      setText('');
      setFault(error as Error);
    }
    setBusy(false);
  };
  const post = (verb: string, doing: string, done: string) => () =>
    attempt(doing, async () => {
      await sendJson('POST', `${cameraPath(id)}/${verb}`);
      return done;
    });
  const probeIt = () =>
    attempt('Opening the feed, for up to 10 seconds…', async () => {
      setProbe(undefined);
      setProbe(await sendJson<ApiProbe>('POST', 'api/probe', { camera: id }, {}, PROBE_TIMEOUT_MS));
      return '';
    });
  const askRemoval = () =>
    attempt('', async () => {
      setRemoval((await sendJson<ApiEdit>('DELETE', `${cameraPath(id)}?plan=true`)).plan);
      return '';
    });
  const remove = () =>
    attempt('', async () => {
      await sendJson<ApiEdit>('DELETE', cameraPath(id), undefined, WHATEVER);
      router.go(undefined);
      return '';
    });
  const isOff = condition === 'disabled';
  return html`<section class="card manage" aria-label="Manage">
    <div class="buttons">
      <button class="button" disabled=${isBusy} onClick=${() => setEditing(true)}>
        <${Icon} name="edit" />Edit
      </button>
      <button class="button" disabled=${isBusy} onClick=${probeIt}><${Icon} name="search" />Probe</button>
      ${!isOff && html`<button class="button" disabled=${isBusy} onClick=${post('restart', 'Restarting…', 'Its process is being replaced.')}><${Icon} name="restart" />Restart</button>`}
      ${
        isOff
          ? html`<button class="button" disabled=${isBusy} onClick=${post('enable', 'Enabling…', 'Enabled.')}>
              <${Icon} name="enable" />Enable
            </button>`
          : html`<button
              class="button"
              disabled=${isBusy}
              onClick=${post('disable', 'Disabling…', 'Disabled: its settings are kept.')}
            >
              <${Icon} name="disable" />Disable
            </button>`
      }
      <button class="button danger" disabled=${isBusy} onClick=${askRemoval}>
        <${Icon} name="close" />Remove
      </button>
    </div>
    <p role="status" class="muted">${text}</p>
    ${removal === undefined && html`<${Faults} fault=${fault} />`}
    ${probe !== undefined && html`<${ProbeResult} probe=${probe} />`}
    ${
      isEditing &&
      html`<${CameraForm}
        id=${id}
        close=${() => setEditing(false)}
        done=${(_: string, said: string) => {
          setEditing(false);
          setText(said);
        }}
      />`
    }
    ${
      removal !== undefined &&
      html`<${Dialog} title=${`Remove ${id}?`} close=${() => setRemoval(undefined)}>
        <p>
          Its settings leave <code>actors.json</code>. Its ledger stays. To keep the settings, disable it
          instead.
        </p>
        <${Faults} fault=${fault} />
        <${Plan} plan=${removal} back=${() => setRemoval(undefined)} apply=${remove} label="Remove camera" />
      <//>`
    }
  </section>`;
}

/** A button that opens the form for a new camera. */
export function AddCamera({ isPrimary = false }: { readonly isPrimary?: boolean }): VNode {
  const { router } = useApp();
  const [isOpen, setOpen] = useState(false);
  return html`<button class=${isPrimary ? 'button primary' : 'button'} onClick=${() => setOpen(true)}>
      <${Icon} name="add" />Add camera
    </button>
    ${isOpen && html`<${CameraForm} close=${() => setOpen(false)} done=${(id: string) => router.go(id)} />`}`;
}
