/** What the corpus reads of the schema of actors.json. */
import { ActorsFile } from '../../src/config/schema';

export interface Schema {
  readonly type: string | readonly string[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly schemes?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly isServer?: boolean;
  readonly isHttp?: boolean;
}

export const FILE = ActorsFile as unknown as Schema;
