/** Asks for the token if the API requires one. */
import type { VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useRef, useState } from './vendor/hooks.js';
import { ApiError, signIn } from './api-client.js';
import { useApp } from './context.js';
import { Mark } from './icons.js';

export function SignIn(): VNode {
  const { connect } = useApp();
  const [fault, setFault] = useState('');
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);

  const submit = async () => {
    const token = input.current?.value.trim() ?? '';
    if (token === '') {
      setFault('Enter the token.');
      return;
    }
    setBusy(true);
    try {
      await signIn(token);
      connect();
    } catch (error) {
      setFault(textOf(error));
      input.current?.select();
    }
    setBusy(false);
  };
  return html`<main class="sign-in" id="content">
    <form
      onSubmit=${(event: Event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <${Mark} />
      <h1>Sign in to Vigil</h1>
      <label for="token">Token</label>
      <input
        id="token"
        ref=${input}
        type="password"
        autocomplete="current-password"
        aria-invalid=${fault !== ''}
        aria-describedby="token-help token-fault"
      />
      <p id="token-help">It is the value of <code>http.token</code> in Vigil’s <code>actors.json</code>.</p>
      <p id="token-fault" class="fault" role="alert">${fault}</p>
      <button class="button primary" disabled=${isBusy}>Sign in</button>
    </form>
  </main>`;
}

function textOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return 'This is not the token.';
  return error instanceof Error ? error.message : String(error);
}
