/** The schema as editors get it: what has a default need not be written. */
import { ActorsFile } from './schema';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON Schema (draft 7) of actors.json before defaults are filled in. */
export function editorSchema(): Json {
  return withoutDefaulted(JSON.parse(JSON.stringify(ActorsFile)) as Json);
}

function withoutDefaulted(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(withoutDefaulted);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, withoutDefaulted(value)] as const);
  const copy = Object.fromEntries(entries) as Record<string, Json>;
  const { required, properties } = copy;
  if (!Array.isArray(required) || typeof properties !== 'object' || properties === null) return copy;
  const known = properties as Record<string, Json>;
  copy['required'] = required.filter((name) => !hasDefault(known[String(name)]));
  return copy;
}

function hasDefault(schema: Json | undefined): boolean {
  return typeof schema === 'object' && schema !== null && 'default' in schema;
}
