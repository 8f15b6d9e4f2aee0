/** The config keys of our own HTTP server and of the log. */
import { Type } from 'typebox';
import { choice, duration, flag, key, siteName, size, text, whole } from './scalar-schemas.ts';

/** `http` */
export const httpSchema = Type.Object(
  {
    host: text({
      description: 'Address to listen on.',
      expected: 'an address or host name',
      pattern: '^[^\\s/]+$',
      default: '0.0.0.0',
    }),
    port: whole(0, 65535, { description: 'Port to listen on; 0 takes any free one.', default: 8470 }),
    base_path: text({
      description: 'Path prefix that the reverse proxy leaves on, such as /account-sync/.',
      expected: 'a path that starts with /',
      pattern: '^/(?:[A-Za-z0-9._~-]+/)*[A-Za-z0-9._~-]*$',
      default: '/',
    }),
    admin_token: Type.Optional(
      key({
        description:
          'Opens the admin routes; without it they answer 403. At least 20 characters. Log records name it admin.',
        examples: ['${ACCOUNT_SYNC_ADMIN_TOKEN}'],
      }),
    ),
    admin_tokens: Type.Array(
      Type.Object(
        {
          name: siteName({ description: 'Who has it; log records name them.', examples: ['ana'] }),
          token: key({ description: 'Opens the admin routes.', examples: ['${ANAS_TOKEN}'] }),
        },
        { additionalProperties: false },
      ),
      {
        description: 'Further admin tokens, one per person or program, so that log records say who did what.',
        expected: 'a list of tokens, each with a name',
        default: [],
      },
    ),
    open_metrics: flag({ description: 'Serve /metrics without the admin token.', default: false }),
    max_body: size({
      description: 'Larger bodies, before or after decompression, are refused with 413.',
      default: '16MiB',
    }),
    trust_proxy: flag({
      description: "Take the client's address from X-Forwarded-For. Only behind a proxy that sets it.",
      default: false,
    }),
    allow_insecure_peers: flag({
      description:
        'Allow http:// URLs of peers that are not loopback. Keys and personal data then travel in the clear.',
      default: false,
    }),
  },
  { description: 'Our own HTTP server, which peers call.', additionalProperties: false },
);

/** `logs` */
export const logsSchema = Type.Object(
  {
    level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      description: "What the daemon's own log on stdout holds, from this level up.",
      default: 'info',
    }),
    retention: duration({ description: 'How long records of the activity log are kept.', default: '90d' }),
    max_rows: whole(1, 1_000_000_000, {
      description: 'Most records kept in the activity log; the oldest go first.',
      default: 1_000_000,
    }),
  },
  { description: 'Logs.', additionalProperties: false },
);
