/** Settings as JSON Schema (draft 7) written as data, and the types of their values. No I/O, no library: cameras load it. */

interface Described {
  readonly description: string;
}

export type SettingSchema =
  | (Described & {
      readonly type: 'number' | 'integer';
      readonly minimum: number;
      readonly maximum?: number;
      readonly multipleOf?: number;
    })
  | (Described & { readonly type: 'boolean' })
  | (Described & {
      readonly type: 'string';
      readonly enum?: readonly string[];
      readonly pattern?: string;
      readonly minLength?: number;
    })
  | (Described & {
      readonly type: 'object';
      readonly properties: Readonly<Record<string, SettingSchema>>;
      readonly additionalProperties: false;
    });

/** The values of a setting with this schema. */
export type ValueOf<S> = S extends { readonly enum: readonly (infer V)[] }
  ? V
  : S extends { readonly type: 'number' | 'integer' }
    ? number
    : S extends { readonly type: 'boolean' }
      ? boolean
      : S extends { readonly type: 'string' }
        ? string
        : S extends { readonly properties: infer P }
          ? { readonly [K in keyof P]?: ValueOf<P[K]> }
          : never;
