/** The route in the browser's address, and changes of it. */
import { topic, type Model } from './model.js';
import { readRoute, routeAddress, type Choice, type Route } from './route.js';

export class Router {
  route: Route = readRoute(location);
  /** Where the wall was scrolled to, and the camera that was opened, to come back to. */
  wallScroll = 0;
  opened?: string;

  constructor(private readonly model: Model) {
    history.scrollRestoration = 'manual';
    for (const event of ['popstate', 'hashchange']) addEventListener(event, () => this.#read());
  }

  /** @param place `replace` for steps that need no history entry, such as each letter typed */
  choose(change: Partial<Choice>, place: 'push' | 'replace' = 'push'): void {
    const choice = { ...this.route.choice, ...change };
    const address = routeAddress({ ...this.route, choice });
    if (place === 'push') history.pushState(null, '', address);
    else history.replaceState(null, '', address);
    this.#read();
  }

  go(camera: string | undefined): void {
    const { choice } = this.route;
    history.pushState(null, '', routeAddress(camera === undefined ? { choice } : { choice, camera }));
    this.#read();
  }

  /** An address for a link. */
  address(camera?: string): string {
    const { choice } = this.route;
    return routeAddress(camera === undefined ? { choice } : { choice, camera });
  }

  #read(): void {
    const next = readRoute(location);
    if (next.camera !== undefined && this.route.camera === undefined) {
      this.wallScroll = scrollY;
      this.opened = next.camera;
    }
    this.route = next;
    this.model.topics.announce(topic.route);
  }
}
