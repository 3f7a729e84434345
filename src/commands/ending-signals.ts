/** Signals that end a command which otherwise goes on. */

/** The last: the terminal has gone. */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
