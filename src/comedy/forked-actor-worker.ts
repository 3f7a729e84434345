/** The entry of an actor's process, in place of comedy's: the same without the unused parts of comedy. */
import './lean';
import 'comedy/lib/forked-actor-worker.js';
