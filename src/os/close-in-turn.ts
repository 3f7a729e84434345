/** Closes what was opened, one after the other: a step that fails keeps none of the others from being done. */

export interface Step {
  /** Names what is closed, in a sentence that begins with it. */
  readonly what: string;
  readonly close: () => unknown;
}

/**
 * Does every step, in the order given, each when the one before is done.
 * @throws Error whose message names every step that failed and why; its cause is an AggregateError of what they threw
 */
export async function closeInTurn(steps: Iterable<Step>): Promise<void> {
  const failures: { readonly what: string; readonly error: unknown }[] = [];
  for (const { what, close } of steps)
    try {
      await close();
    } catch (error) {
      failures.push({ what, error });
    }
  if (failures.length === 0) return;
  const sentences = failures.map(
    ({ what, error }) => `${what}: ${error instanceof Error ? error.message : String(error)}`,
  );
  throw new Error(sentences.join('; '), { cause: new AggregateError(failures.map(({ error }) => error)) });
}
