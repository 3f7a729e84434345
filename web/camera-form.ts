/** Adding and editing a camera: the form, then what the edit would change, then the edit. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useState } from './vendor/hooks.js';
import type { ApiCameraDetail, ApiEdit, ApiPlan, ApiProbe } from '../src/actors/web/view/api';
import { ApiError, cameraPath, getJson, PROBE_TIMEOUT_MS, sendJson } from './api-client.js';
import { Dialog } from './dialog.js';
import { planSentences } from './plan-sentences.js';
import { ProbeResult } from './probe-result.js';
import { Text } from './text-field.js';
import { draftOf, EMPTY, settingsOf, SOURCES, type Draft, type Source } from './settings-form.js';

const SOURCE_NAMES: Readonly<Record<Source, string>> = {
  url: 'Stream (RTSP, HTTP, RTMP)',
  still: 'Still picture over HTTP',
  test: 'Test picture',
  file: 'Video file of Vigil’s machine',
};
const EXAMPLES: Readonly<Record<Source, string>> = {
  url: 'rtsp://192.168.1.20/stream',
  still: 'http://192.168.1.20/snapshot.jpg',
  test: 'testsrc2',
  file: 'videos/yard.mp4',
};

type Step =
  | { readonly name: 'form' }
  | { readonly name: 'busy'; readonly text: string }
  | { readonly name: 'plan'; readonly plan: ApiPlan };

/** @param id of the camera that is edited; absent: a new one is added */
export function CameraForm({
  id,
  close,
  done,
}: {
  readonly id?: string;
  readonly close: () => void;
  readonly done: (id: string, text: string) => void;
}): VNode {
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [stored, setStored] = useState<{ readonly etag: string; readonly hidden: readonly string[] }>();
  const [step, setStep] = useState<Step>({ name: 'form' });
  const [fault, setFault] = useState<ApiError | Error>();
  const [probe, setProbe] = useState<ApiProbe>();
  const isNew = id === undefined;

  const load = async (keeps: boolean) => {
    if (id === undefined) return;
    try {
      const { body, etag } = await getJson<ApiCameraDetail>(cameraPath(id));
      if (etag === undefined || body.settings === undefined)
        throw new Error(
          'Vigil cannot read its configuration file at the moment; the problems above say why.',
        );
      setStored({ etag, hidden: body.hidden ?? [] });
      if (!keeps) setDraft(draftOf(body.settings));
      setFault(undefined);
    } catch (error) {
      setFault(error as Error);
    }
  };
  useEffect(() => void load(false), [id]);

  const attempt = async (text: string, act: () => Promise<Step | undefined>) => {
    setStep({ name: 'busy', text });
    setFault(undefined);
    try {
      setStep((await act()) ?? { name: 'form' });
    } catch (error) {
      setFault(error as Error);
      setStep({ name: 'form' });
    }
  };
  const send = async (query: string) => {
    const condition = isNew ? { 'if-none-match': '*' } : { 'if-match': stored?.etag ?? '' };
    const name = draft.id.trim();
    if (name === '') throw new Error('Enter a name for the camera.');
    return sendJson<ApiEdit>('PUT', `${cameraPath(name)}${query}`, settingsOf(draft), condition);
  };
  const review = () =>
    attempt('Checking the settings…', async () => ({ name: 'plan', plan: (await send('?plan=true')).plan }));
  const apply = () =>
    attempt('Applying…', async () => {
      await send('');
      done(draft.id.trim(), isNew ? 'Camera added.' : 'Settings applied.');
      return undefined;
    });
  const tryFeed = () =>
    attempt('Opening the feed, for up to 10 seconds…', async () => {
      setProbe(undefined);
      const body = { ...settingsOf(draft), ...(isNew ? {} : { camera: id }) };
      setProbe(await sendJson<ApiProbe>('POST', 'api/probe', body, {}, PROBE_TIMEOUT_MS));
      return undefined;
    });
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const isBusy = step.name === 'busy';

  return html`<${Dialog} title=${isNew ? 'Add a camera' : `Edit ${id}`} close=${close}>
    <form
      class="settings"
      hidden=${step.name === 'plan'}
      onSubmit=${(event: Event) => {
        event.preventDefault();
        void review();
      }}
    >
      <fieldset disabled=${isBusy || (!isNew && stored === undefined)}>
        ${isNew && html`<${Text} name="id" label="Name" value=${draft.id} set=${(value: string) => set({ id: value })} help="Letters, digits, _ and -. It is part of keys and addresses and cannot be changed later." />`}
        <label for="f-source">Pictures come from</label>
        <select
          id="f-source"
          value=${draft.source}
          onChange=${(event: Event) => set({ source: (event.currentTarget as HTMLSelectElement).value as Source })}
        >
          ${SOURCES.filter((source) => source !== 'file' || draft.source === 'file').map((source) => html`<option key=${source} value=${source}>${SOURCE_NAMES[source]}</option>`)}
        </select>
        <${Text}
          name="address"
          label=${draft.source === 'test' ? 'Pattern' : draft.source === 'file' ? 'Path' : 'URL'}
          value=${draft.address}
          example=${EXAMPLES[draft.source]}
          set=${(value: string) => set({ address: value })}
          help=${stored?.hidden.includes(draft.source) === true ? 'User, password and query are not shown. Left as it is, the whole URL stays.' : ''}
        />
        ${
          (draft.source === 'url' || draft.source === 'still') &&
          html`<div class="pair">
            <${Text}
              name="username"
              label="User name"
              value=${draft.username}
              example=${storedText(stored?.hidden, 'username')}
              set=${(value: string) => set({ username: value })}
            />
            <${Text}
              name="password"
              label="Password"
              type="password"
              value=${draft.password}
              example=${storedText(stored?.hidden, 'password')}
              set=${(value: string) => set({ password: value })}
            />
          </div>`
        }
        <${Text}
          name="rate"
          label="Pictures per second"
          value=${draft.rate}
          example="1"
          mode="decimal"
          set=${(value: string) => set({ rate: value })}
        />
        <label for="f-others">Other settings, as JSON</label>
        <textarea
          id="f-others"
          rows="4"
          spellcheck=${false}
          aria-describedby="f-others-help"
          placeholder=${'{ "quality": 80 }'}
          value=${draft.others}
          onInput=${(event: Event) => set({ others: (event.currentTarget as HTMLTextAreaElement).value })}
        ></textarea>
        <p class="help" id="f-others-help">The names are those of <code>actors.json</code>.</p>
      </fieldset>
      ${probe !== undefined && html`<${ProbeResult} probe=${probe} />`}
      <p role="status" class="muted">${isBusy ? step.text : ''}</p>
      <${Faults} fault=${fault} reload=${isNew ? undefined : () => void load(true)} />
      <footer>
        <button type="button" class="button" disabled=${isBusy} onClick=${tryFeed}>Probe the feed</button>
        <button class="button primary" disabled=${isBusy}>Review</button>
      </footer>
    </form>
    ${step.name === 'plan' && html`<${Plan} plan=${step.plan} back=${() => setStep({ name: 'form' })} apply=${apply} label=${isNew ? 'Add camera' : 'Apply'} />`}
  <//>`;
}

function storedText(hidden: readonly string[] | undefined, name: string): string {
  return hidden?.includes(name) === true ? 'stored, not shown' : '';
}

/** The changes an edit would make, before it is made. */
export function Plan({
  plan,
  back,
  apply,
  label,
}: {
  readonly plan: ApiPlan;
  readonly back: () => void;
  readonly apply: () => void;
  readonly label: string;
}): VNode {
  return html`<section class="plan" aria-label="Plan">
    <h3>What will happen</h3>
    <ul>
      ${planSentences(plan).map((text) => html`<li key=${text}>${text}</li>`)}
    </ul>
    <footer>
      <button type="button" class="button" onClick=${back}>Back</button>
      <button type="button" class="button primary" onClick=${apply} ref=${focus}>${label}</button>
    </footer>
  </section>`;
}

function focus(button: HTMLElement | null): void {
  button?.focus();
}

const CONFLICT =
  'Somebody else has changed the configuration meanwhile. Your entries are still here; nothing was applied.';

/** Why it failed, and what to do if another user was faster. */
export function Faults({
  fault,
  reload,
}: {
  readonly fault: Error | undefined;
  readonly reload?: (() => void) | undefined;
}): VNode {
  const isConflict = fault instanceof ApiError && fault.code === 'changed-meanwhile' && reload !== undefined;
  const lines = fault === undefined ? [] : faultLines(fault);
  return html`<div role="alert" class="faults">
    ${
      isConflict
        ? html`<p>${CONFLICT}</p>
            <button type="button" class="button" onClick=${reload}>
              Go on with the newest configuration
            </button>`
        : lines.map((line) => html`<p key=${line}>${line}</p>`)
    }
  </div>`;
}

/** Faults of the camera by the name of its setting: the index of the camera in the file is not useful here. */
function faultLines(fault: Error): string[] {
  const faults = fault instanceof ApiError ? fault.faults : [];
  if (faults.length === 0) return [fault.message];
  return faults.map(({ path, problem }) => {
    const name = path.replace(/^\$\.cameras\[\d+\]\.?/, '');
    return name === '' ? `The camera: ${problem}` : `${name}: ${problem}`;
  });
}
