// Faults the compiler does not see, and the direction of imports: main -> supervisor -> leaves, actors -> leaves.
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Rooms that import nothing above them. */
const LEAVES = [
  'broker',
  'clock',
  'config',
  'contract',
  'ledger',
  'log',
  'process',
  'protocol',
  'redis',
  'spool',
];

const forbid = (target, from, message) => ({ target: `./src/${target}`, from: `./src/${from}`, message });
const above = ['actors', 'supervisor', 'commands', 'consumer'];

const COMEDY = { name: 'comedy', message: 'Only src/comedy/host.ts imports comedy.' };
const STARTING = {
  name: 'node:child_process',
  importNames: ['spawn', 'fork', 'exec', 'execFile'],
  message: 'Only src/os/child-process.ts starts programs: its children are safe to signal.',
};

export default tseslint.config(
  { ignores: ['.cache/', 'dist/', 'data/', 'coverage/', 'node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // `async` states that a function may wait, also where it hands on a promise or does not wait yet.
      '@typescript-eslint/require-await': 'off',
      'no-restricted-imports': ['error', { paths: [COMEDY] }],
    },
  },
  {
    files: ['src/**/*.ts'],
    settings: { 'import-x/resolver': { node: { extensions: ['.ts'] } } },
    rules: {
      'import-x/no-cycle': 'error',
      'no-restricted-imports': ['error', { paths: [COMEDY, STARTING] }],
      'import-x/no-restricted-paths': [
        'error',
        {
          basePath: import.meta.dirname,
          zones: [
            ...LEAVES.flatMap((leaf) =>
              above.map((room) => forbid(leaf, room, 'A leaf imports nothing upward.')),
            ),
            forbid('actors', 'supervisor', 'An actor imports no supervisor: it is named by path.'),
            forbid('actors', 'commands', 'An actor imports its own folder and leaves.'),
            forbid('actors', 'consumer', 'An actor imports its own folder and leaves.'),
            forbid('consumer', 'supervisor', 'The consumer kit stands alone.'),
            forbid('consumer', 'actors', 'The consumer kit stands alone.'),
            forbid('consumer', 'commands', 'The consumer kit stands alone.'),
            forbid('supervisor', 'commands', 'The supervisor does not know the command line.'),
            ...[
              ['camera', ['store', 'notifier']],
              ['store', ['camera', 'notifier']],
              ['notifier', ['camera', 'store']],
            ].flatMap(([actor, others]) =>
              others.map((other) =>
                forbid(`actors/${actor}`, `actors/${other}`, 'No actor imports another.'),
              ),
            ),
          ],
        },
      ],
    },
  },
  { files: ['src/comedy/host.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    // node:test's `test` and `describe` return promises that its runner awaits.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
);
