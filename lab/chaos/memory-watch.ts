/** Resident memory of the daemon's own process, the store's and the notifier's. */
import { readFileSync } from 'node:fs';
import { actorName, below, processTable } from '../process-table';

const LOOK_MS = 500;
/** Bytes of a page, as /proc counts them on x86 and most others. */
const PAGE_BYTES = 4096;

export interface PeakMemory {
  store: number;
  notifier: number;
  supervisor: number;
}

export class MemoryWatch {
  #peak: PeakMemory = { store: 0, notifier: 0, supervisor: 0 };
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly daemonPid: () => number | undefined) {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Bytes at most since the last time this was asked. */
  takePeak(): PeakMemory {
    const peak = this.#peak;
    this.#peak = { store: 0, notifier: 0, supervisor: 0 };
    return peak;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const daemon = this.daemonPid();
    if (daemon === undefined) return;
    this.#note('supervisor', daemon);
    for (const row of below(processTable(), daemon)) {
      const name = actorName(row);
      if (name === 'store' || name === 'notifier') this.#note(name, row.pid);
    }
  }

  #note(name: keyof PeakMemory, pid: number): void {
    this.#peak[name] = Math.max(this.#peak[name], residentBytes(pid));
  }
}

function residentBytes(pid: number): number {
  try {
    const [, pages = 0] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
    return pages * PAGE_BYTES;
  } catch {
    return 0; // it has just ended
  }
}
