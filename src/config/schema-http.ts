/** The settings of actors.json for the HTTP server, or `false` for none. */
import { Type } from '@sinclair/typebox';
import type { Effect } from './schema-parts';
import type { SettingSchema } from './setting-schema';

export interface HttpSettings {
  readonly port: number;
  readonly host: string;
  readonly names: readonly string[];
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly metricsTags: boolean;
}
export type HttpEntry = false | HttpSettings;

/** Only this machine reaches these; a token may be absent there. */
export const LOOPBACK_PATTERN = '^(?:localhost|127(?:\\.[0-9]{1,3}){3}|::1)$';
/** The token is sent in a header: visible ASCII. */
const TOKEN_PATTERN = '^[!-~]+$';
const EFFECT: Effect = 'restarts web';

const SETTINGS = {
  port: {
    type: 'integer',
    minimum: 1,
    maximum: 65_535,
    description:
      'Port to listen on; if it is in use, the next free one, which the log and endpoints.json name.',
  },
  host: {
    type: 'string',
    minLength: 1,
    description:
      'Address to listen on. Any other than a loopback address (127.0.0.1, ::1, localhost) requires a token.',
  },
  token: {
    type: 'string',
    pattern: TOKEN_PATTERN,
    description:
      'secret that every client has to know, such as ${VIGIL_TOKEN}: visible ASCII characters without blanks',
  },
  cert: {
    type: 'string',
    minLength: 1,
    description: 'Certificate for HTTPS, PEM: a path relative to actors.json. Needs key.',
  },
  key: {
    type: 'string',
    minLength: 1,
    description: 'Private key of cert, PEM: a path relative to actors.json.',
  },
  metricsTags: {
    type: 'boolean',
    description:
      'Whether /metrics has vigil_camera_tag, one series for each tag of each camera, to group other metrics by.',
  },
} as const satisfies Readonly<Record<string, SettingSchema>>;

export const Http = Type.Unsafe<HttpEntry>({
  type: ['boolean', 'object'],
  not: { const: true },
  properties: {
    port: { ...SETTINGS.port, default: 8080 },
    host: { ...SETTINGS.host, default: '127.0.0.1' },
    names: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      maxItems: 100,
      default: [],
      description:
        'Further host names in URLs of clients, such as that of a reverse proxy. Requests for other names are refused.',
    },
    token: SETTINGS.token,
    cert: { ...SETTINGS.cert, isFile: true },
    key: { ...SETTINGS.key, isFile: true },
    metricsTags: { ...SETTINGS.metricsTags, default: false },
  },
  additionalProperties: false,
  default: {},
  isHttp: true,
  effect: EFFECT,
  description:
    'The HTTP server: page, API and metrics (docs/web.md). An object of settings, or false for none',
});
