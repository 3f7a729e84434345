/** The interface of an actor, apart from the framework that runs it. */
import type { Log } from '../log/log';
import type { ActorCommand, ActorReport } from './messages';
import type { Progress } from './progress';

/** What an actor is given to work with. */
export interface ActorContext<Parameters> {
  /** The current parameters: an edit of the configuration changes them while the actor runs, see {@link Actor.changed}. */
  readonly parameters: Parameters;
  readonly log: Log;
  /** Reports to the supervisor; never throws: if the supervisor has gone, the process is ended by other means. */
  report(report: ActorReport): void;
}

/** A started actor. */
export interface Actor {
  receive(command: ActorCommand): void;
  /**
   * The context's parameters have changed. Settles when the actor uses them, or cannot yet; never rejects.
   * Needed only if the change requires an action.
   */
  changed?(): Promise<void>;
  /** Called once a second. */
  progress(): Progress;
  /** Ends everything it started; resolves when nothing is left. The caller sets the deadline. */
  stop(): Promise<void>;
}

/** An actor module's default export. It must not block: waiting for a server is part of running. */
export type StartActor<Parameters> = (context: ActorContext<Parameters>) => Actor;

/** An actor that is a loop: it runs until it is stopped. */
export interface ActorLoop extends Actor {
  /** Resolves when the loop has ended, after `stop` was called. Never rejects. */
  run(): Promise<void>;
}

/** Starts the loop; `stop` resolves when it has ended, too. */
export function startLoop(loop: ActorLoop): Actor {
  const ended = loop.run();
  return {
    receive: (command) => loop.receive(command),
    changed: async () => loop.changed?.(),
    progress: () => loop.progress(),
    stop: async () => {
      await loop.stop();
      await ended;
    },
  };
}
