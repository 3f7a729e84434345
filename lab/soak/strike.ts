/** What is done to a process, drawn at random. */
import type { Random } from '../random';

export type Strike =
  | { readonly kind: 'kill' }
  | { readonly kind: 'terminate' }
  /** Stopped (SIGSTOP) for a while, then killed: it does not see what happens meanwhile. */
  | { readonly kind: 'stop-and-kill'; readonly forMs: number }
  /** Stopped for a while, then continued, as a laptop's sleep does. */
  | { readonly kind: 'pause'; readonly forMs: number };

export function drawStrike(random: Random): Strike {
  const share = random.next();
  if (share < 0.55) return { kind: 'kill' };
  if (share < 0.75) return { kind: 'terminate' };
  return { kind: share < 0.9 ? 'stop-and-kill' : 'pause', forMs: random.between(10, 1500) };
}

/** Milliseconds until the next one: often at once, while the last one's victim is just being replaced. */
export function drawPauseMs(random: Random): number {
  const share = random.next();
  if (share < 0.3) return random.between(0, 60);
  return share < 0.8 ? random.between(60, 900) : random.between(900, 3000);
}

/** Carries it out; resolves when it is over. A victim that has ended meanwhile is left alone. */
export async function carryOut(
  strike: Strike,
  signal: (name: NodeJS.Signals) => void,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  switch (strike.kind) {
    case 'kill':
      signal('SIGKILL');
      break;
    case 'terminate':
      signal('SIGTERM');
      break;
    case 'stop-and-kill':
    case 'pause':
      signal('SIGSTOP');
      await sleep(strike.forMs);
      signal(strike.kind === 'pause' ? 'SIGCONT' : 'SIGKILL');
      break;
  }
}
