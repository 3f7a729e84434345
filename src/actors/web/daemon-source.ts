/** What the HTTP server answers from: the daemon's socket, the spool and the ledger. */
import { Fault } from '../../fault/fault';
import type { Figures } from '../../supervisor/figures';
import type { ApiCamera, ApiLedger } from './api';
import { Problem } from './http/problem';
import { unknownCamera } from './http/routes';
import type { LedgerView } from './ledger/ledger-view';
import type { Gallery } from './pictures/gallery';
import { noPicture, throwUnlessPresent } from './pictures/present';
import type { LatestJpeg, LatestPicture, LedgerQuestion, WebSource } from './http/source';
import type { DaemonView, View } from './view/daemon-view';

export class DaemonSource implements WebSource {
  constructor(
    private readonly daemon: DaemonView,
    private readonly gallery: Gallery,
    private readonly ledgerView: LedgerView,
    private readonly figures: () => Promise<Figures>,
  ) {}

  async view(): Promise<View> {
    try {
      return await this.daemon.view();
    } catch (error) {
      throw silent(error);
    }
  }

  async latest(
    id: string,
    width: number | undefined,
  ): Promise<LatestPicture & { make(): Promise<LatestJpeg> }> {
    const camera = await this.#camera(id);
    const periodMs = camera.wantedRate > 0 ? 1000 / camera.wantedRate : undefined;
    const frame = await this.gallery.newest(id);
    // One that is disabled is left a picture until its folder is removed.
    if (frame === undefined || camera.condition === 'disabled') throw noPicture(id, camera);
    throwUnlessPresent(frame, periodMs, camera, Date.now());
    return {
      etag: this.gallery.etag(frame, width),
      capturedAt: frame.capturedAt,
      make: async () => {
        const made = await this.gallery.make(frame, width);
        const { capturedAt } = made.frame;
        return { etag: this.gallery.etag(made.frame, width), capturedAt, jpeg: made.jpeg };
      },
    };
  }

  async ledger(question: LedgerQuestion): Promise<ApiLedger> {
    const { cameras } = await this.view();
    if (question.camera !== undefined && !cameras.some(({ id }) => id === question.camera))
      throw unknownCamera(question.camera);
    return this.ledgerView.answer(
      question,
      cameras.map(({ id }) => id),
    );
  }

  async metrics(): Promise<string> {
    const [view, figures] = await Promise.all([this.view(), this.#figures()]);
    const pids = view.status.children.flatMap(({ pid }) => pid ?? []);
    // Loaded with the first scrape.
    const { costOf } = await import('./metrics/process-cost');
    const { metricsText } = await import('./metrics/metrics');
    return metricsText({ view, figures, costs: costOf([...pids, view.status.pid]), nowMs: Date.now() });
  }

  async #figures(): Promise<Figures> {
    try {
      return await this.figures();
    } catch (error) {
      throw silent(error);
    }
  }

  async #camera(id: string): Promise<ApiCamera> {
    const camera = (await this.view()).cameras.find((each) => each.id === id);
    if (camera === undefined) throw unknownCamera(id);
    return camera;
  }
}

function silent(error: unknown): Problem {
  const code = error instanceof Fault ? error.code : 'daemon-silent';
  return new Problem(503, code, `the daemon does not answer: ${(error as Error).message}`);
}
