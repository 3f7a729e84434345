/** Building blocks of the schema. `effect` states what a change of a setting does; it is not part of the editors' schema. */
import { Type, type TObject, type TProperties } from '@sinclair/typebox';
import { TAG_PATTERN } from '../contract/frame';
import type { SettingSchema, ValueOf } from './setting-schema';

/** Exported so that the types other files infer from these parts can be named within the project. */
export type { TObject, TOptional, TUnsafe } from '@sinclair/typebox';

/** What a change of a setting does to the running daemon. An object's effect applies to its settings that name none. */
export type Effect =
  | 'none'
  | 'live'
  | 'starts or stops the camera'
  | 'restarts the store'
  | 'restarts the notifier'
  | 'restarts store and notifier'
  | 'restarts the store; live for cameras'
  | 'restarts web'
  | 'restarts notices'
  | 'needs a restart of the daemon';

/** A setting that may be absent. */
export function optional<const S extends SettingSchema>(schema: S, effect?: Effect) {
  return Type.Optional(Type.Unsafe<ValueOf<S>>(annotated(schema, effect)));
}

/** A setting with a default. */
export function defaulted<const S extends SettingSchema>(schema: S, usual: ValueOf<S>, effect?: Effect) {
  return Type.Unsafe<ValueOf<S>>({ ...annotated(schema, effect), default: usual });
}

function annotated(schema: SettingSchema, effect: Effect | undefined): Record<string, unknown> {
  return { ...schema, ...(effect === undefined ? {} : { effect }) };
}

/** An object of settings that need not be written. */
export function section<P extends TProperties>(
  properties: P,
  description: string,
  effect?: Effect,
): TObject<P> {
  return Type.Object(properties, {
    additionalProperties: false,
    default: {},
    description,
    ...(effect === undefined ? {} : { effect }),
  });
}

export const TAG = Type.String({
  pattern: TAG_PATTERN,
  description: 'a tag of 1 to 32 letters, digits or "_.:-"',
});

/** Tags by which some of the cameras are chosen. */
export function chosenTags(description: string) {
  return Type.Optional(Type.Array(TAG, { minItems: 1, maxItems: 16, uniqueItems: true, description }));
}
