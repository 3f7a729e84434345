/** What the notifier was asked to announce, and has not answered. */
import { frameId, type Frame } from '../../contract/frame';
import type { FaultRecord } from '../../fault/fault';

/** The broker has confirmed the message, or `fault` says why not. */
export interface Answer {
  readonly fault?: FaultRecord | undefined;
}

export class Announcements {
  readonly #open = new Map<string, (answer: Answer) => void>();

  /** @param ask sends the request; its answer comes back through {@link Announcements.settle} */
  constructor(private readonly ask: (frame: Frame, delayed: boolean) => void) {}

  /**
   * Never rejects. There is no deadline: a notifier that has not answered may still be heard by the broker, and it does
   * answer, or is lost.
   */
  async request(frame: Frame, delayed: boolean): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => {
      this.#open.set(frameId(frame), resolve);
    });
    this.ask(frame, delayed);
    return answer;
  }

  /** Answers that are no longer awaited are ignored. */
  settle(id: string, fault: FaultRecord | undefined): void {
    this.#open.get(id)?.({ fault });
    this.#open.delete(id);
  }

  settleAll(fault: FaultRecord): void {
    for (const id of [...this.#open.keys()]) this.settle(id, fault);
  }
}
