/** The notice settings of actors.json: webhooks, and which notices each receives. */
import { Type } from '@sinclair/typebox';
import { CAMERA_ID_PATTERN } from '../contract/frame';
import { chosenTags } from './schema-parts';

export const WEBHOOK_SCHEMES = ['https', 'http'] as const;
/** Bytes of a secret, by the specification of Standard Webhooks. */
export const SECRET_BYTES = [24, 64] as const;

const Webhook = Type.Object(
  {
    webhook: Type.String({
      minLength: 1,
      schemes: WEBHOOK_SCHEMES,
      description: 'URL that notices are sent to by POST, https or http. Redirects are not followed.',
    }),
    secret: Type.String({
      pattern: '^whsec_[A-Za-z0-9+/]+={0,2}$',
      description:
        'secret that signs each notice, such as ${VIGIL_WEBHOOK_SECRET}: "whsec_" and 24 to 64 bytes in base64; make one with: echo "whsec_$(openssl rand -base64 32)"',
    }),
    when: Type.Array(Type.String(), {
      minItems: 1,
      maxItems: 16,
      description:
        'Conditions to report: "offline > 60s", a camera without a picture for that long; "quarantined"; "spool > 80%" of spool.maxBytes, maxFrames or maxAgeMs; "recovered", the end of a reported condition.',
    }),
    cameras: Type.Optional(
      Type.Array(Type.String({ pattern: CAMERA_ID_PATTERN, description: 'the id of a camera' }), {
        minItems: 1,
        maxItems: 10_000,
        uniqueItems: true,
        description: 'Only these cameras, and nothing but cameras.',
      }),
    ),
    tags: chosenTags('Only cameras with one of these tags, and nothing but cameras.'),
  },
  { additionalProperties: false, description: 'A webhook.' },
);

export const Notify = Type.Array(Webhook, {
  maxItems: 20,
  default: [],
  effect: 'restarts notices',
  description: 'Webhooks that are notified of trouble and its end (docs/notices.md).',
});
