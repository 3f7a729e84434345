/** Announcements requested of the notifier and not answered yet. */
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
   * Never rejects. There is no deadline: the message of a notifier that has not answered may still reach the broker. The notifier
   * either answers or is reported lost.
   */
  async request(frame: Frame, delayed: boolean): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => {
      this.#open.set(frameId(frame), resolve);
    });
    this.ask(frame, delayed);
    return answer;
  }

  /** Late answers are ignored. */
  settle(id: string, fault: FaultRecord | undefined): void {
    this.#open.get(id)?.({ fault });
    this.#open.delete(id);
  }

  settleAll(fault: FaultRecord): void {
    for (const id of [...this.#open.keys()]) this.settle(id, fault);
  }
}
