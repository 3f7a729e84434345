/**
 * The schema for editors: settings with a default are optional, text may contain references to the environment, and all rules that
 * JSON Schema can express are included. It cannot express that ids are unique, deadlines add up, files exist and variables are set.
 */
import { LOOPBACK_PATTERN } from './schema-http';
import { appliesTo, CAMERA_SETTING_NAMES, cameraSetting } from './camera-settings';
import { SOURCE_KEYS, STREAM_SCHEMES, type SourceKind } from './camera-sources';
import { isEncrypted } from './camera-tls';
import { ActorsFile } from './schema';
import { TEXT, URL_START, urlOfScheme, urlPattern, urlWithReference, WITH_REFERENCE } from './text-patterns';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Node = Readonly<Record<string, Json>>;

/** JSON Schema (draft 7) of actors.json as a user writes it. */
export function editorSchema(): Json {
  const { properties, ...schema } = nodeOf(JSON.parse(JSON.stringify(ActorsFile)) as Node);
  const { cameras, ...others } = properties as Readonly<Record<string, Node>>;
  const camera = { ...(cameras?.['items'] as Node), allOf: cameraRules() };
  return {
    ...schema,
    properties: { ...others, cameras: { ...cameras, items: camera } },
    definitions: {
      text: { type: 'string', pattern: TEXT },
      reference: { type: 'string', pattern: WITH_REFERENCE },
    },
  };
}

/** Rules for the object: a token if others can reach it, and a key together with a certificate. */
const HTTP_RULES: Json = [
  {
    if: {
      type: 'object',
      required: ['host'],
      properties: { host: { not: { anyOf: [{ pattern: LOOPBACK_PATTERN }, { pattern: WITH_REFERENCE }] } } },
    },
    then: { required: ['token'] },
  },
  { dependencies: { cert: ['key'], key: ['cert'] } },
];

const TEXT_REF: Node = { $ref: '#/definitions/text' };
const REFERENCE_REF: Node = { $ref: '#/definitions/reference' };

/** One node, with those within it. */
function nodeOf(schema: Node): Node {
  const { effect: _, schemes, isFile, isAddress, isServer, isHttp, ...plain } = schema;
  if (isServer === true) return serverNode(plain, schemes as string[]);
  if (plain['type'] === 'string')
    return textNode(plain, { schemes: schemes as string[] | undefined, isFile, isAddress });
  const { properties, required, items, additionalProperties: others } = plain;
  return {
    ...(isHttp === true ? { allOf: HTTP_RULES } : {}),
    ...plain,
    ...(properties === undefined
      ? {}
      : { properties: nodesOf(properties as Readonly<Record<string, Node>>) }),
    ...(Array.isArray(required)
      ? { required: required.filter((name) => !hasDefault((properties as Node)[String(name)])) }
      : {}),
    ...(typeof others === 'object' ? { additionalProperties: nodeOf(others as Node) } : {}),
    ...(items === undefined ? {} : { items: nodeOf(items as Node) }),
  };
}

function nodesOf(nodes: Readonly<Record<string, Node>>): Node {
  return Object.fromEntries(Object.entries(nodes).map(([key, node]) => [key, nodeOf(node)]));
}

function hasDefault(schema: Json | undefined): boolean {
  return typeof schema === 'object' && schema !== null && 'default' in schema;
}

interface TextKind {
  readonly schemes: readonly string[] | undefined;
  readonly isFile?: Json | undefined;
  /** A URL without query and fragment. */
  readonly isAddress?: Json | undefined;
}

function textNode({ enum: values, pattern, ...plain }: Node, { schemes, isFile, isAddress }: TextKind): Node {
  const forms: Node[] = [
    ...(values === undefined ? [] : [{ enum: values }, REFERENCE_REF]),
    ...(pattern === undefined ? [] : [{ pattern }, REFERENCE_REF]),
    ...(schemes === undefined
      ? []
      : [{ pattern: urlPattern(schemes) }, { pattern: urlWithReference(schemes) }]),
  ];
  return {
    ...plain,
    allOf: [TEXT_REF],
    ...(forms.length === 0 ? {} : { anyOf: forms }),
    ...(isFile === true ? { not: { pattern: URL_START } } : {}),
    ...(isAddress === true ? { not: { pattern: '[?#]' } } : {}),
  };
}

function serverNode(
  { properties, additionalProperties = false, type: _, minLength: __, ...plain }: Node,
  schemes: string[],
): Node {
  const [embedded, remote] = [
    ['embedded', 'port', 'maxMemoryBytes'],
    ['url', 'username', 'password', 'managementUrl'],
  ].map((keys) => keys.filter((key) => key in (properties as Node)));
  const settings: Node = {
    type: 'object',
    properties: nodesOf(properties as Readonly<Record<string, Node>>),
    additionalProperties,
    oneOf: [
      { required: ['embedded'], properties: none(remote ?? []) },
      { required: ['url'], properties: none(embedded ?? []) },
    ],
  };
  return {
    ...plain,
    anyOf: [{ const: 'embedded' }, textNode({ type: 'string' }, { schemes }), settings],
  };
}

/** None of these keys. */
function none(keys: readonly string[]): Node {
  return Object.fromEntries(keys.map((key) => [key, false]));
}

function cameraRules(): Node[] {
  const unencrypted = STREAM_SCHEMES.filter((scheme) => !isEncrypted(`${scheme}://`));
  return [
    { oneOf: SOURCE_KEYS.map((key) => ({ required: [key] })) },
    ...SOURCE_KEYS.flatMap((key) => (key === 'url' ? [] : [rule({ required: [key] }, lacking(key))])),
    ...STREAM_SCHEMES.map((scheme) => rule(withUrl('url', [scheme]), lacking(scheme))),
    ...['url', 'still'].map((key) =>
      rule(withUrl(key, unencrypted), { tls: { properties: { ca: false, verify: { enum: [false] } } } }),
    ),
    {
      not: {
        required: ['tls'],
        properties: { tls: { required: ['ca', 'verify'], properties: { verify: { enum: [false] } } } },
      },
    },
  ];
}

function rule(condition: Node, properties: Node): Node {
  return { if: condition, then: { properties } };
}

function withUrl(key: string, schemes: readonly string[]): Node {
  return { required: [key], properties: { [key]: { pattern: urlOfScheme(schemes) } } };
}

/** The settings, and values of settings, that a source does not have. */
function lacking(kind: SourceKind): Node {
  const rules = CAMERA_SETTING_NAMES.flatMap((name): [string, Json][] => {
    if (!appliesTo(name, kind)) return [[name, false]];
    const values = Object.keys(cameraSetting(name).values ?? {});
    const missing = values.filter((value) => !appliesTo(name, kind, value));
    return missing.length === 0 ? [] : [[name, { not: { enum: missing } }]];
  });
  return Object.fromEntries(rules);
}
