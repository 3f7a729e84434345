/** The sources of the HTTP server's answers: the daemon's socket, the spool and the ledger. */
import { Fault } from '../../fault/fault';
import type { Figures } from '../../supervisor/figures';
import type { ApiCrash, ApiLedger } from './view/api';
import { readCrashes } from './crashes';
import { Problem } from './http/problem';
import { cameraIn } from './http/routes';
import type { LedgerView } from './ledger/ledger-view';
import type { Gallery } from './pictures/gallery';
import { presentPicture, type PresentPicture } from './pictures/present-pictures';
import type { LedgerQuestion, WebSource } from './http/source';
import type { DaemonView, View } from './view/daemon-view';

export class DaemonSource implements WebSource {
  constructor(
    private readonly daemon: DaemonView,
    private readonly gallery: Gallery,
    private readonly ledgerView: LedgerView,
    private readonly blackBoxDir: string,
    private readonly figures: () => Promise<Figures>,
    private readonly metricsTags: () => boolean,
  ) {}

  async view(): Promise<View> {
    try {
      return await this.daemon.view();
    } catch (error) {
      throw silent(error);
    }
  }

  async latest(id: string, width: number | undefined): Promise<PresentPicture> {
    return presentPicture(await this.view(), this.gallery, id, width);
  }

  async ledger(question: LedgerQuestion): Promise<ApiLedger> {
    const view = await this.view();
    if (question.camera !== undefined) cameraIn(view, question.camera);
    return this.ledgerView.answer(
      question,
      view.cameras.map(({ id }) => id),
    );
  }

  async crashes(id: string): Promise<ApiCrash[]> {
    cameraIn(await this.view(), id);
    return readCrashes(this.blackBoxDir, id);
  }

  async metrics(): Promise<string> {
    const [view, figures] = await Promise.all([this.view(), this.#figures()]);
    const pids = view.status.children.flatMap(({ pid }) => pid ?? []);
    // Loaded with the first scrape.
    const { costOf } = await import('./metrics/process-cost');
    const { metricsText } = await import('./metrics/metrics');
    const costs = costOf([...pids, view.status.pid]);
    return metricsText({ view, figures, costs, nowMs: Date.now(), withTags: this.metricsTags() });
  }

  async #figures(): Promise<Figures> {
    try {
      return await this.figures();
    } catch (error) {
      throw silent(error);
    }
  }
}

/** Why the daemon does not answer. */
export function silent(error: unknown): Problem {
  const code = error instanceof Fault ? error.code : 'daemon-silent';
  return new Problem(503, code, `the daemon does not answer: ${(error as Error).message}`);
}
