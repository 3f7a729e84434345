/** What every part of the page may use, and hooks that follow it. */
import { createContext } from './vendor/preact.js';
import { useContext, useLayoutEffect, useState } from './vendor/hooks.js';
import type { ApiCamera } from '../src/actors/web/view/api';
import { topic, type Model } from './model.js';
import type { Router } from './router.js';

export interface App {
  readonly model: Model;
  readonly router: Router;
  /** Reconnects after a sign-in. */
  readonly connect: () => void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('outside of the page');
  return app;
}

/** Renders again when one of the topics changes. */
export function useTopics(...names: readonly string[]): void {
  const { model } = useApp();
  const [, setCount] = useState(0);
  useLayoutEffect(() => {
    const ends = names.map((name) => model.topics.subscribe(name, () => setCount((count) => count + 1)));
    return () => ends.forEach((end) => end());
  }, [model, ...names]);
}

export function useCamera(id: string): ApiCamera | undefined {
  useTopics(topic.camera(id));
  return useApp().model.cameras.get(id);
}

/** When the last information arrived, by the browser's clock; undefined while the connection is up. */
export function useLost(): number | undefined {
  useTopics(topic.link);
  const { link, heardAt } = useApp().model;
  return link.name === 'lost' ? heardAt : undefined;
}

/** The server's present, once a second. */
export function useNow(): number {
  useTopics(topic.tick);
  return useApp().model.now();
}
