/** Closes opened parts one after another: a step that fails does not prevent the others. */

export interface Step {
  /** Name of the part that is closed, for the beginning of a sentence. */
  readonly what: string;
  readonly close: () => unknown;
}

/**
 * Executes every step in the order given, each when the previous one has ended.
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
