/**
 * The part of bluebird that comedy calls in Vigil's use of it, based on Node's promises: bluebird costs each process 30 of 220
 * ms of processor time at its start. The calls were determined from comedy's source; its version is pinned.
 */

type Step<In, Out> = (value: In, index: number) => Out | PromiseLike<Out>;

export class ComedyPromise<T> extends Promise<T> {
  static #marking = false;

  /** As with bluebird, an unhandled rejection does not end the process: comedy leaves some unhandled. */
  constructor(executor: ConstructorParameters<typeof Promise<T>>[0]) {
    super(executor);
    // A promise created by `then` is of this class too.
    if (ComedyPromise.#marking) return;
    ComedyPromise.#marking = true;
    void super.then(undefined, () => undefined);
    ComedyPromise.#marking = false;
  }

  static delay(ms: number): Promise<void> {
    return new ComedyPromise((resolve) => {
      setTimeout(resolve, ms);
    });
  }

  static map<In, Out>(items: Iterable<In | PromiseLike<In>>, step: Step<In, Out>): Promise<Out[]> {
    const results = [...items].map(async (item, index) => step(await item, index));
    return ComedyPromise.all(results);
  }

  static reduce<In, Out>(
    items: Iterable<In>,
    step: (memo: Out, item: In, index: number) => Out | PromiseLike<Out>,
    initial: Out,
  ): Promise<Out> {
    return [...items].reduce<Promise<Out>>(
      (before, item, index) => before.then((memo) => step(memo, item, index)),
      ComedyPromise.resolve(initial),
    );
  }

  /** comedy promisifies all functions of fs, and calls one only if it gets no configuration; it gets one. */
  static promisifyAll<Target>(target: Target): Target {
    return target;
  }

  tap(step: (value: T) => unknown): Promise<T> {
    return this.then(async (value) => {
      await step(value);
      return value;
    });
  }

  return<V>(value: V): Promise<V> {
    return this.then(() => value);
  }
}
