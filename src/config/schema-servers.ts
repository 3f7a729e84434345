/** The settings of actors.json for Redis and RabbitMQ. */
import { Type } from '@sinclair/typebox';
import type { SettingSchema } from './setting-schema';
import type { Effect } from './schema-parts';

/** A server with settings of its own. */
export interface ServerSettings {
  readonly embedded?: true;
  readonly port?: number;
  readonly maxMemoryBytes?: number;
  readonly url?: string;
  readonly username?: string;
  readonly password?: string;
  readonly managementUrl?: string;
}
/** "embedded", a URL, or the settings. */
export type ServerEntry = string | ServerSettings;

interface UrlSchema {
  /** Without query and fragment. */
  readonly isAddress?: true;
  readonly type: 'string';
  readonly schemes: readonly string[];
  readonly description: string;
}

interface ServerOptions {
  readonly schemes: readonly string[];
  readonly description: string;
  /** Settings that only apply if the daemon runs this server. */
  readonly own?: Readonly<Record<string, SettingSchema>>;
  /** For a remote server: URLs of other services that belong to it. */
  readonly remote?: Readonly<Record<string, UrlSchema>>;
  /** The effect of a change of a URL or its credentials. */
  readonly effect: Effect;
}

const MOVED: Effect = 'needs a restart of the daemon';

export function server({ schemes, description, own = {}, remote = {}, effect }: ServerOptions) {
  const [scheme = ''] = schemes;
  return Type.Unsafe<ServerEntry>({
    type: ['string', 'object'],
    minLength: 1,
    properties: {
      embedded: {
        type: 'boolean',
        const: true,
        description: 'Run a private server on loopback.',
        effect: MOVED,
      },
      port: {
        type: 'integer',
        minimum: 1,
        maximum: 65_535,
        description: 'Loopback port of the embedded server. Absent: a free port is chosen and kept.',
        effect: MOVED,
      },
      ...Object.fromEntries(Object.entries(own).map(([key, schema]) => [key, { ...schema, effect: MOVED }])),
      url: {
        type: 'string',
        schemes,
        description: `URL: ${schemes.map((name) => `${name}://`).join(', ')}.`,
      },
      username: { type: 'string', description: 'User name. Any characters, not percent-encoded.' },
      password: { type: 'string', description: 'Password. Any characters, not percent-encoded.' },
      ...Object.fromEntries(
        Object.entries(remote).map(([key, schema]) => [key, { ...schema, effect: 'live' }]),
      ),
    },
    additionalProperties: false,
    default: 'embedded',
    schemes,
    isServer: true,
    effect,
    description: `${description}. "embedded" for a private server run by the daemon, ${scheme}:// or ${scheme}s:// and a host, or {"url", "username", "password"}.`,
  });
}
