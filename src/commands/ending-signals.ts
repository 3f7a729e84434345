/** Signals that end a command that would otherwise keep running. */

/** SIGHUP: the terminal has gone. */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
