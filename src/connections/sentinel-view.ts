/** What Sentinels report about a primary, and what that means for a connected client. Pure. */

export interface SentinelView {
  /** `host:port` as the Sentinel writes it. */
  readonly address: string;
  /** Rises with every change of the primary (redis.io/docs/latest/operate/oss_and_stack/management/sentinel). */
  readonly epoch: number;
  /** This Sentinel is replacing the primary. */
  readonly replacing: boolean;
  /** On the clock of `performance.now`. */
  readonly askedMs: number;
}

/** @param reply to `SENTINEL MASTER`: a map, or a list of names and values; undefined when it is neither */
export function readView(reply: unknown, askedMs: number): SentinelView | undefined {
  const fields = fieldsOf(reply);
  const [ip, port, epoch] = ['ip', 'port', 'config-epoch'].map((name) => fields.get(name));
  if (ip === undefined || port === undefined) return undefined;
  const replacing = (fields.get('flags') ?? '').split(',').includes('failover_in_progress');
  return { address: `${ip}:${port}`, epoch: Number(epoch ?? 0), replacing, askedMs };
}

/**
 * `replaced`: another server is the primary. `replacing`: a Sentinel is about to promote another server, or
 * the primary is undecided: writes may be lost now. Undefined if there is no objection, or nothing is known.
 * @param address of the server that the client is connected to
 */
export function objectionTo(
  address: string | undefined,
  views: readonly SentinelView[],
): 'replaced' | 'replacing' | undefined {
  if (address === undefined) return undefined;
  // The Sentinel that replaced the primary keeps naming the old one for a moment, with the new epoch.
  const [named] = [...views].sort((a, b) => b.epoch - a.epoch || Number(a.replacing) - Number(b.replacing));
  if (named === undefined) return undefined;
  if (named.address !== address) return named.replacing ? 'replacing' : 'replaced';
  return views.some((view) => view.replacing && view.address === address) ? 'replacing' : undefined;
}

function fieldsOf(reply: unknown): Map<string, string> {
  if (Array.isArray(reply)) {
    const fields = reply.map(String);
    return new Map(fields.flatMap((field, i) => (i % 2 === 0 ? [[field, fields[i + 1] ?? '']] : [])));
  }
  const entries = reply instanceof Map ? [...reply] : Object.entries(reply ?? {});
  return new Map(entries.map(([name, value]) => [String(name), String(value)]));
}
