/** The config keys of our own HTTP server and of the log. */
import { Type } from 'typebox';
import { choice, duration, flag, key, network, NETWORKS, siteName, size, text, whole } from './scalar-schemas.ts';

/** `http` */
export const httpSchema = Type.Object(
  {
    host: text({
      description:
        'Address to listen on: 127.0.0.1, where the proxy of this machine finds it. The image, whose loopback nobody else ' +
        'reaches, sets ACCOUNT_SYNC_HTTP_HOST=0.0.0.0, which counts where this key is not given.',
      expected: 'an address or host name',
      pattern: '^[^\\s/]+$',
      default: '127.0.0.1',
    }),
    port: whole(0, 65535, { description: 'Port to listen on; 0 takes any free one.', default: 8470 }),
    base_path: text({
      description: 'Path prefix that the reverse proxy leaves on, such as /account-sync/.',
      expected: 'a path that starts with /',
      pattern: '^/(?:[A-Za-z0-9._~-]+/)*[A-Za-z0-9._~-]*$',
      default: '/',
    }),
    public_path: Type.Optional(
      text({
        description:
          'Path under which peers call, where the reverse proxy takes it away instead of leaving it on: signatures are made ' +
          'over it. Without it base_path counts.',
        expected: 'a path that starts with /',
        pattern: '^/(?:[A-Za-z0-9._~-]+/)*[A-Za-z0-9._~-]*$',
        examples: ['/account-sync/'],
      }),
    ),
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
    trust_proxy: Type.Union([Type.Boolean(), Type.Array(network(), { uniqueItems: true, expected: NETWORKS })], {
      description:
        'Addresses of the proxies whose X-Forwarded-For is believed, as [127.0.0.1, 10.1.0.0/16]; failed authentications ' +
        'are counted by the address it gives. false: of none. true, as 0.1 had it: of one whose own address is not public.',
      expected: NETWORKS,
      default: false,
      examples: [['127.0.0.1', '::1']],
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
      description:
        'Most records kept in the activity log; the oldest go first. Those of callers who did not show who they are count ' +
        'apart: 1,000 an hour are written, and 10,000 kept.',
      default: 1_000_000,
    }),
  },
  { description: 'Logs.', additionalProperties: false },
);
