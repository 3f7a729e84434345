// Faults the compiler does not see, and the direction of imports between the rooms of src.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** The rooms of src, leaves first: a room imports only rooms before it. What is not in a folder (main.ts) comes last. */
const ROOMS = [
  'clock',
  'url',
  'contract',
  'log',
  'fault',
  'os',
  'connections',
  'etcd',
  'consumer',
  'config',
  'config/edit',
  'protocol',
  'spool',
  'ledger',
  'embedded',
  'actors/camera/ffmpeg',
  'actors/camera/bitstream',
  'actors/camera/sampling',
  'actors/camera/clock',
  'actors/camera/pictures',
  'actors/camera/http',
  'actors/camera/rtsp',
  'actors/camera/feed',
  'actors/camera/stills',
  'actors/camera/hls',
  'actors/camera/capture',
  'actors/camera',
  'actors/notifier',
  'actors/store',
  'comedy',
  'fleet',
  'supervisor',
  'control',
  'actors/web/view',
  'actors/web/http',
  'actors/web/ledger',
  'actors/web/pictures',
  'actors/web/metrics',
  'actors/web',
  'actors/notices',
  'commands',
  'commands/declared',
  '.',
];

/** Beside the order: who may not import whom, and why. Folders below are meant too. */
const APART = [
  {
    rooms: ['actors/camera'],
    from: ['actors/store', 'actors/notifier', 'actors/web', 'actors/notices'],
    why: 'No actor imports another.',
  },
  {
    rooms: ['actors/store'],
    from: ['actors/camera', 'actors/notifier', 'actors/web', 'actors/notices'],
    why: 'No actor imports another.',
  },
  {
    rooms: ['actors/notifier'],
    from: ['actors/camera', 'actors/store', 'actors/web', 'actors/notices'],
    why: 'No actor imports another.',
  },
  {
    rooms: ['actors/web'],
    from: ['actors/camera', 'actors/store', 'actors/notifier', 'actors/notices'],
    why: 'No actor imports another.',
  },
  {
    rooms: ['actors/notices'],
    from: ['actors/camera', 'actors/store', 'actors/notifier', 'actors/web'],
    why: 'No actor imports another.',
  },
  { rooms: ['supervisor', 'control'], from: ['actors'], why: 'The supervisor names actors by path.' },
  {
    rooms: ['config', 'protocol', 'spool', 'ledger', 'embedded', 'actors', 'comedy', 'supervisor', 'control'],
    from: ['consumer'],
    why: 'The consumer kit stands alone: only commands use it.',
  },
];

const SRC = path.join(import.meta.dirname, 'src');

/** Folders that hold modules. */
function roomsBelow(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  const isRoom = entries.some((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  const below = entries.filter((entry) => entry.isDirectory());
  return [
    ...(isRoom ? [path.relative(SRC, folder) || '.'] : []),
    ...below.flatMap(({ name }) => roomsBelow(path.join(folder, name))),
  ];
}

const unlisted = roomsBelow(SRC).filter((room) => !ROOMS.includes(room));
if (unlisted.length > 0)
  throw new Error(`eslint.config.mjs: no place in ROOMS for src/${unlisted.join(', src/')}`);

const modulesOf = (room) => (room === '.' ? './src/*.ts' : `./src/${room}/*.ts`);

/** Zones of import-x/no-restricted-paths. */
const ZONES = [
  ...ROOMS.map((room, place) => ({
    target: modulesOf(room),
    from: ROOMS.slice(place + 1).map(modulesOf),
    message: 'A room imports only rooms before it in ROOMS of eslint.config.mjs.',
  })).filter(({ from }) => from.length > 0),
  ...APART.map(({ rooms, from, why }) => ({
    target: rooms.map((room) => `./src/${room}`),
    from: from.map((room) => `./src/${room}`),
    message: why,
  })),
];

const COMEDY = { regex: '^comedy(/|$)', message: 'Only src/comedy imports comedy.' };
const STARTING = ['node:child_process', 'child_process'].map((name) => ({
  name,
  importNames: ['spawn', 'fork', 'exec', 'execFile', 'default'],
  message: 'Only src/os/child-process.ts starts programs: its children are safe to signal.',
}));
const UNIT_STARTING = ['node:child_process', 'child_process'].map((name) => ({
  name,
  message: 'A unit test starts no program: a test that does is below test/integration.',
}));
/** no-restricted-imports does not see import(). */
const LATE_COMEDY = {
  selector: 'ImportExpression > Literal[value=/^comedy(\\u002F|$)/]',
  message: COMEDY.message,
};
const LATE_STARTING = {
  selector: 'ImportExpression > Literal[value=/^(node:)?child_process$/]',
  message: STARTING[0].message,
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
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-imports': ['error', { patterns: [COMEDY] }],
      'no-restricted-syntax': ['error', LATE_COMEDY],
    },
  },
  {
    files: ['src/**/*.ts'],
    settings: { 'import-x/resolver': { node: { extensions: ['.ts'] } } },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones: ZONES }],
      'no-restricted-imports': ['error', { patterns: [COMEDY], paths: STARTING }],
      'no-restricted-syntax': ['error', LATE_COMEDY, LATE_STARTING],
    },
  },
  {
    files: ['src/comedy/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: STARTING }],
      'no-restricted-syntax': ['error', LATE_STARTING],
    },
  },
  // comedy forks by itself: its `fork` is answered here.
  { files: ['src/comedy/fork.ts', 'src/os/child-process.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['test/unit/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [COMEDY], paths: UNIT_STARTING }] },
  },
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
