/** Messages to one receiver, sent together: those of one turn of the event loop are one message of comedy's. */
export class Batch<Message> {
  #waiting: Message[] = [];

  /** @param send is called once a turn, with what was added in it, in order */
  constructor(private readonly send: (messages: readonly Message[]) => void) {}

  add(message: Message): void {
    this.#waiting.push(message);
    if (this.#waiting.length > 1) return;
    setImmediate(() => {
      const messages = this.#waiting;
      this.#waiting = [];
      this.send(messages);
    });
  }
}
