/** Metrics of prom-client, as functions that set or count one series. */
import { Counter, Gauge, type Registry } from 'prom-client';

/** Help that fits in a line, and a function that sets one series. */
export function gauge<L extends string>(
  register: Registry,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
) {
  const metric = new Gauge({ name, help, labelNames: [...labelNames], registers: [register] });
  return (value: number | undefined, labels?: Readonly<Record<L, string>>) => {
    if (value !== undefined && Number.isFinite(value)) metric.set((labels ?? {}) as never, value);
  };
}

export function counter<L extends string>(
  register: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
) {
  const metric = new Counter({ name, help, labelNames: [...labelNames], registers: [register] });
  return (value: number, labels: Readonly<Record<L, string>>) => metric.inc(labels as never, value);
}
