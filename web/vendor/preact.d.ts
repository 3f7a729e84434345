/** The types of vendor/preact.js, which scripts/page.mjs takes from npm. */
export * from 'preact';
