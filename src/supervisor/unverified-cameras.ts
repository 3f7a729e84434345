/** Says which cameras are read over TLS that nobody verifies: at the start, and again of those that an edit brings. */
import { unverified, unverifiedWords, verified, verifiedWords } from '../config/camera-tls';
import type { SupervisedCamera } from '../config/topology';
import type { Log } from '../log/log';

export class UnverifiedCameras {
  #said: ReadonlySet<string> = new Set();

  constructor(private readonly log: Pick<Log, 'info'>) {}

  /** @param cameras all that run from now on */
  tell(cameras: readonly SupervisedCamera[]): void {
    const now = unverified(cameras);
    const news = now.filter((id) => !this.#said.has(id));
    const mended = verified(cameras).filter((id) => this.#said.has(id));
    this.#said = new Set(now);
    if (news.length > 0) this.log.info(unverifiedWords(news), { code: 'tls-unverified' });
    if (mended.length > 0) this.log.info(verifiedWords(mended), { code: 'tls-verified' });
  }
}
