/** The types of vendor/html.js, which scripts/page.mjs takes from npm. */
export { html } from 'htm/preact';
