/** Whether a value is a configuration: checks it against the schema and all other rules, each on the well-formed parts. */
import Ajv from 'ajv';
import { cameraFaults } from './camera-rules';
import { deadlineFaults } from './children';
import { consumerFaults } from './consumer-rules';
import { substituteEnvironment } from './environment';
import type { ConfigFault, FoundFault } from './faults';
import { fleetFaults } from './fleet-rules';
import { httpFaults } from './http-rules';
import { sealFaults } from './literal-secrets';
import { notifyFaults } from './notify-rules';
import { jsonPath, type Place } from './paths';
import { ActorsFile } from './schema';
import { schemaFaults } from './schema-faults';
import { serverFaults } from './server-rules';
import { withoutIllFormed, type WellFormed } from './well-formed';

const ajv = new Ajv({
  ...{ allErrors: true, useDefaults: true, verbose: true, allowUnionTypes: true },
  // The schema is our own; checking it against the meta-schema, compiled first, would cost 60 ms per start.
  validateSchema: false,
  // Optimizing the code would cost 130 ms per start; only thousands of cameras are then checked a little faster.
  code: { optimize: false },
});
ajv.addVocabulary(['effect', 'schemes', 'isFile', 'isAddress', 'isServer', 'isHttp']);
const validate = ajv.compile<ActorsFile>(ActorsFile);

export interface CheckedConfiguration {
  /** The file with its defaults; complete only if there are no faults. */
  readonly file: ActorsFile;
  readonly faults: readonly ConfigFault[];
}

/**
 * All faults of a configuration, in one pass.
 * @param folder that relative paths are resolved against
 */
export function checkConfiguration(
  written: unknown,
  environment: NodeJS.ProcessEnv,
  folder: string,
): CheckedConfiguration {
  const { value, faults: unset, replaced } = substituteEnvironment(written, environment);
  const broken = [...unset, ...brokenText(value, [])];
  // A setting left empty by an unset variable is not reported a second time.
  const reported = new Set(broken.map(({ path }) => path));
  const errors = validate(value) ? [] : (validate.errors ?? []);
  const invalid = schemaFaults(errors, written, replaced).filter(({ path }) => !reported.has(path));
  const found = [...broken, ...invalid];
  const illFormed = found.flatMap(({ illFormed: place }) => (place === undefined ? [] : [place]));
  const wellFormed = withoutIllFormed(value, illFormed) as WellFormed<ActorsFile> | undefined;
  const faults: ConfigFault[] = found.map(({ path, problem }) => ({ path, problem }));
  const ofRules =
    wellFormed === undefined
      ? []
      : [
          ...[serverFaults, fleetFaults, httpFaults, notifyFaults],
          ...[consumerFaults, cameraFaults, deadlineFaults],
        ].flatMap((rule) => rule(wellFormed, folder));
  return { file: value as ActorsFile, faults: [...faults, ...ofRules, ...sealFaults(written, environment)] };
}

/** A lone surrogate cannot be percent-encoded or written to a key. */
function brokenText(value: unknown, place: Place): FoundFault[] {
  if (typeof value === 'string')
    return /\p{Surrogate}/u.test(value)
      ? [
          {
            path: jsonPath(place),
            problem: 'is not Unicode text: it has half a surrogate pair',
            illFormed: place,
          },
        ]
      : [];
  if (Array.isArray(value)) return value.flatMap((item, i) => brokenText(item, [...place, i]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => brokenText(item, [...place, key]));
}
