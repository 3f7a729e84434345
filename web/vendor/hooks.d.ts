/** The types of vendor/hooks.js, which scripts/page.mjs takes from npm. */
export * from 'preact/hooks';
