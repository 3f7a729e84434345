/** Logs which cameras are read over TLS without verification: at the start, and after each edit that adds some. */
import { unverified, unverifiedSentence, verified, verifiedSentence } from '../config/camera-tls';
import type { SupervisedCamera } from '../config/topology';
import type { Log } from '../log/log';

export class UnverifiedCameras {
  #said: ReadonlySet<string> = new Set();

  constructor(private readonly lines: Pick<Log, 'info'>) {}

  /** @param cameras all that run from now on */
  log(cameras: readonly SupervisedCamera[]): void {
    const now = unverified(cameras);
    const news = now.filter((id) => !this.#said.has(id));
    const fixed = verified(cameras).filter((id) => this.#said.has(id));
    this.#said = new Set(now);
    if (news.length > 0) this.lines.info(unverifiedSentence(news), { code: 'tls-unverified' });
    if (fixed.length > 0) this.lines.info(verifiedSentence(fixed), { code: 'tls-verified' });
  }
}
