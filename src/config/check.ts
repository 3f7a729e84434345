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
  // The schema is ours: to check it by the schema of schemas, which is compiled first, costs each start 60 ms.
  validateSchema: false,
  // To optimize the code takes each start 130 ms; checked a little faster are only thousands of cameras.
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
 * @param folder that relative paths in it start at
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

/** Half a surrogate pair cannot be percent-encoded, nor written to a key. */
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
