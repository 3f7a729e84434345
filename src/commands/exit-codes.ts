/** Exit codes of the program (README, "Exit codes"); 64 and up follow sysexits.h. */
export const EXIT = {
  clean: 0,
  /** `status`: the daemon runs and does not do its work. */
  unhealthy: 1,
  usage: 2,
  noDaemon: 3,
  /** A program, server, port or directory that is needed cannot be had. */
  unavailable: 69,
  /** Something failed that should not have; the service manager starts the daemon again. */
  failed: 70,
  configuration: 78,
} as const;
