/** Which elements are in view. All share one observer; out of view, nothing is loaded. */
import type { RefObject } from './vendor/preact.js';
import { useEffect, useState } from './vendor/hooks.js';

const watched = new WeakMap<Element, (isInView: boolean) => void>();
let visible = 0;

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) watched.get(target)?.(isIntersecting);
});

/** How many pictures are in view. */
export function countInView(): number {
  return visible;
}

export function useInView(ref: RefObject<Element>): boolean {
  const [isInView, setInView] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    watched.set(element, setInView);
    observer.observe(element);
    return () => observer.unobserve(element);
  }, [ref]);
  useEffect(() => {
    if (!isInView) return undefined;
    visible++;
    return () => {
      visible--;
    };
  }, [isInView]);
  return isInView;
}
