/** Messages to one receiver, sent together: those of one turn of the event loop form one message in comedy. */
export class Batch<Message> {
  #waiting: Message[] = [];

  /** @param send called once a turn with the messages added in it, in order */
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
