/** Splits a URL leniently: even an invalid URL has parts that must not be shown. */

/** Scheme, user and password, host and port, and the rest: path, query and fragment. */
export const URL_PARTS = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#@]+)([/?#].*)?$/i;
