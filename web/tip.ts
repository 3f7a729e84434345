/** The one tooltip of the page: a short text beside the element under the pointer or with the focus. */

const MARGIN = 8;

let element: HTMLElement | undefined;

/** @param place of the element, in pixels of the window; the tooltip is above it if there is room */
export function showTip(
  text: string,
  place: { readonly x: number; readonly top: number; readonly bottom: number },
): void {
  const tip = (element ??= newTip());
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(MARGIN, place.x - width / 2), innerWidth - width - MARGIN);
  const above = place.top - height - MARGIN;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > MARGIN ? above : place.bottom + MARGIN}px`;
}

export function hideTip(): void {
  if (element !== undefined) element.hidden = true;
}

/** Its text is in the accessible value of the element itself. */
function newTip(): HTMLElement {
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.setAttribute('aria-hidden', 'true');
  addEventListener('scroll', hideTip, { passive: true, capture: true });
  return document.body.appendChild(tip);
}
