/** The entry of an actor's process, in place of comedy's: the same, without what of comedy is not used. */
import './lean';
import 'comedy/lib/forked-actor-worker.js';
