/** A dialog over the page. The browser keeps the focus inside, gives it back, and closes it by Escape. */
import type { ComponentChildren, VNode } from './vendor/preact.js';
import { html } from './vendor/html.js';
import { useEffect, useRef } from './vendor/hooks.js';
import { Icon } from './icons.js';

export function Dialog({
  title,
  close,
  children,
}: {
  readonly title: string;
  readonly close: () => void;
  readonly children?: ComponentChildren;
}): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const isDismissed = useRef(false);
  // At once, not with the event `close`, which comes a task later: a key pressed in between must find it gone.
  const dismiss = () => {
    if (isDismissed.current) return;
    isDismissed.current = true;
    dialog.current?.close();
    close();
  };
  useEffect(() => {
    dialog.current?.showModal();
    // Not the button that closes it: the key that opened the dialog may still be on its way.
    heading.current?.focus();
  }, []);
  return html`<dialog
    ref=${dialog}
    aria-labelledby="dialog-title"
    onCancel=${dismiss}
    onClose=${dismiss}
    onKeyDown=${(event: KeyboardEvent) => event.stopPropagation()}
  >
    <header>
      <h2 id="dialog-title" tabindex="-1" ref=${heading}>${title}</h2>
      <button type="button" class="button quiet" aria-label="Close" title="Close" onClick=${dismiss}>
        <${Icon} name="close" />
      </button>
    </header>
    ${children}
  </dialog>`;
}
