/** docs/configuration.md: every key of actors.json, from the schema. Pure. */
import { CAMERA_SETTING_NAMES, cameraSetting } from './camera-settings';
import { ANY_SOURCE, STREAM_SCHEMES, type SourceKind } from './camera-sources';
import { ActorsFile } from './schema';

interface Node {
  readonly type: string | readonly string[];
  readonly description?: string;
  readonly effect?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
}

const INTRODUCTION = `# Configuration

Generated from the schema by \`npm run generate\`; edit \`src/config/\`, not this page.

Everything is in \`actors.json\`. It is JSON with comments (\`// ...\` and \`/* ... */\`), which edits through the API and the commands keep; trailing commas are refused. \`\${NAME}\` in any text comes from the environment
the daemon was started with; \`$\${\` stands for a literal \`\${\`. All faults of a file are reported at once, each with its JSON path.

A running daemon applies a valid edit within a second. The column *change* says what that does; camera settings are applied without a
gap: a feed that is reopened runs on until the new one has delivered pictures ([supervision](supervision.md#live-edits)). A change marked
*needs a restart of the daemon*, and one between \`"embedded"\` and a URL, is refused while the daemon runs.
`;

const CAMERA = `A camera has exactly one of \`url\`, \`still\`, \`file\` and \`test\`. Any key that it does not set is taken from \`cameraDefaults\`. A key
that its source does not have is refused on the camera and ignored in \`cameraDefaults\`. \`username\` and \`password\` of
\`cameraDefaults\` are not used for a camera with credentials of its own, beside its URL or in it; \`"username": "", "password": ""\` asks
without any. A \`still\` camera applies every change with its next picture; a \`test\` camera reopens for every change.
`;

/** The whole page, as Markdown. */
export function configurationReference(): string {
  const {
    cameraDefaults: _,
    cameras,
    notify,
    consumers,
    ...others
  } = (ActorsFile as unknown as Node).properties ?? {};
  const sections = Object.entries(others).filter(([, { properties }]) => properties !== undefined);
  const plain = Object.entries(others).filter(([, { properties }]) => properties === undefined);
  return [
    INTRODUCTION,
    `## Top level\n\n${table(plain.map(([key, node]) => row(key, node)))}`,
    ...sections.map(([key, node]) => section(key, node)),
    `## \`notify[]\`\n\n${sentence(notify?.description ?? '')}\n\n${table(rowsOf({ ...notify?.items, effect: notify?.effect } as Node))}`,
    consumerSection(consumers),
    `## \`cameras[]\` and \`cameraDefaults\`\n\n${CAMERA}\n${cameraTable(cameras?.items?.properties ?? {})}`,
  ].join('\n');
}

function section(name: string, node: Node): string {
  const kinds = Object.entries(node.properties ?? {});
  const isNested = kinds.some(([, { properties }]) => properties !== undefined);
  const usual = typeof node.default === 'string' ? ` Default: ${defaultText(node)}.` : '';
  const head = `## \`${name}\`\n\n${sentence(node.description ?? '')}${usual}\n`;
  if (!isNested) return `${head}\n${table(rowsOf(node))}`;
  const parts = kinds.map(
    ([kind, inner]) =>
      `### \`${name}.${kind}\`\n\n${sentence(inner.description ?? '')}\n\n${table(rowsOf(inner))}`,
  );
  return [head, ...parts].join('\n');
}

/** Section for an object whose keys are names. */
function consumerSection(
  { description = '', effect = '', additionalProperties }: Node = { type: 'object' },
): string {
  const { properties = {} } = additionalProperties as Node;
  return `## \`consumers.NAME\`\n\n${sentence(description)}\n\n${table(rowsOf({ type: 'object', properties, effect }))}`;
}

function rowsOf({ properties = {}, effect = '' }: Node): string[][] {
  return Object.entries(properties).map(([key, node]) => row(key, { effect, ...node }));
}

/** Camera settings: their default is that of `cameraDefaults`. */
function cameraTable(properties: Readonly<Record<string, Node>>): string {
  const rows = Object.entries(properties).flatMap(([key, node]) => {
    const name = CAMERA_SETTING_NAMES.find((known) => known === key);
    const usual = name === undefined ? node.default : cameraSetting(name).default;
    const [first, ...nested]: [string[], ...string[][]] = [
      row(key, { ...node, default: usual }),
      ...nestedRows(key, node),
    ];
    return [[...first, name === undefined ? '' : sourcesOf(name)], ...nested.map((cells) => [...cells, ''])];
  });
  return table(rows, ['key', 'type', 'default', 'meaning', 'change', 'sources']);
}

/** The settings of `tls`; those of `actor` are in the table of actors. */
function nestedRows(key: string, node: Node): string[][] {
  if (key === 'actor') return [];
  return Object.entries(node.properties ?? {}).map(([inner, setting]) =>
    row(`${key}.${inner}`, { ...(node.effect === undefined ? {} : { effect: node.effect }), ...setting }),
  );
}

function sourcesOf(name: (typeof CAMERA_SETTING_NAMES)[number]): string {
  const { sources, values = {} } = cameraSetting(name);
  const limited = Object.entries(values).map(([value, kinds]) => `\`"${value}"\`: ${kindsText(kinds)}`);
  return [kindsText(sources), ...limited].join('; ');
}

function kindsText(kinds: readonly SourceKind[]): string {
  if (ANY_SOURCE.every((kind) => kinds.includes(kind))) return 'all';
  const isStream = STREAM_SCHEMES.every((scheme) => kinds.includes(scheme));
  const names = isStream ? ['url', ...kinds.filter((kind) => !isOneOf(STREAM_SCHEMES, kind))] : kinds;
  return names.map((name) => `\`${name}\``).join(', ');
}

function isOneOf(list: readonly string[], text: string): boolean {
  return list.includes(text);
}

function row(key: string, node: Node): string[] {
  return [
    `\`${key}\``,
    typeText(node),
    defaultText(node),
    sentence(node.description ?? ''),
    node.effect ?? '',
  ];
}

function typeText({ type, enum: values, const: only, minimum, maximum }: Node): string {
  if (Array.isArray(type) && type.includes('array')) return 'text or list of texts';
  if (Array.isArray(type)) return type.includes('string') ? 'text or object' : '`false` or object';
  if (type === 'array') return 'list of texts';
  if (values !== undefined) return values.map((value) => `\`"${value}"\``).join(', ');
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (type !== 'integer' && type !== 'number') return type === 'string' ? 'text' : String(type);
  const range = maximum === undefined ? `≥ ${minimum ?? 0}` : `${minimum ?? 0} to ${maximum}`;
  return `${type as string}, ${range}`;
}

function defaultText({ default: usual, type }: Node): string {
  return usual === undefined || type === 'object' ? '' : `\`${JSON.stringify(usual)}\``;
}

/** As a sentence in a cell of a table. */
function sentence(description: string): string {
  const text = description
    .replaceAll('|', '\\|')
    .replace(/[<>]/g, (mark) => (mark === '<' ? '&lt;' : '&gt;'));
  // Values and programs keep their small letters.
  const start = /^(?:ffmpeg|false|[\w-]+:)/.test(text) ? text.charAt(0) : text.charAt(0).toUpperCase();
  return `${start}${text.slice(1)}${/[.)]$/.test(text) ? '' : '.'}`;
}

function table(
  rows: readonly (readonly string[])[],
  titles = ['key', 'type', 'default', 'meaning', 'change'],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[titles, titles.map(() => '---'), ...rows].map(line).join('\n')}\n`;
}
