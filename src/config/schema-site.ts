/** The config keys that say who we are and where our database is. */
import { Type } from 'typebox';
import { LONGEST_PREFIX, PREFIX_PATTERN } from '../model/table-prefix.ts';
import { choice, flag, key, signingKey, siteName, text, timeZone, url, whole } from './scalar-schemas.ts';

/** `site` */
export const siteSchema = Type.Object(
  {
    name: siteName({
      description: 'Name of this site, unique among all sites and never reused: it is part of every stamp.',
      examples: ['cars'],
    }),
    url: url({ description: 'Address of the Osclass site itself.', examples: ['https://cars.example.com/'] }),
    api_key: key({
      description:
        'Identifies us to peers that do not know our public key: each of them has it as the api_key of its entry for us. ' +
        'At least 20 characters; "account-sync key" prints a new one.',
      examples: ['${CARS_API_KEY}'],
    }),
    signing_key: Type.Optional(
      signingKey({
        description:
          'Signs our calls to peers: Ed25519, as PEM (PKCS8) or its 32 bytes in base64. "account-sync key --pair" prints a ' +
          'pair, "init" writes one to signing.key. Peers have the public half as public_key of their entry for us.',
        examples: ['${CARS_SIGNING_KEY}'],
      }),
    ),
    timezone: Type.Optional(
      timeZone({
        description: "IANA zone of the site's DATETIME values. Without it Osclass's own preference counts.",
        examples: ['Europe/Berlin'],
      }),
    ),
    priority: whole(0, 65535, {
      description: 'The smaller wins where stamps are equal, above all when old sites first meet.',
      default: 100,
    }),
    server_identity: choice(['watched', 'ignore'], {
      description:
        'watched: a daemon whose database is on another server than last time, without having worked on both, sends and ' +
        'applies nothing until "account-sync resume" says what it is. ignore: servers may change; the name of the ' +
        'database and site.url are watched all the same.',
      default: 'watched',
    }),
  },
  { description: 'The site this daemon stands beside.', additionalProperties: false },
);

const sslSchema = Type.Union(
  [
    Type.Boolean(),
    Type.Enum(['on', 'off']),
    Type.Object(
      {
        ca: Type.Optional(
          text({
            description: "The certificate authority that signed the server's certificate, as PEM text.",
            expected: 'a certificate in PEM form',
            pattern: '-----BEGIN [A-Z ]*CERTIFICATE-----',
            secret: true,
          }),
        ),
        reject_unauthorized: flag({
          description: 'Refuse a server whose certificate cannot be verified.',
          default: true,
        }),
      },
      { additionalProperties: false },
    ),
  ],
  {
    description: 'Encrypt the connection to the database: true, false, or a mapping.',
    expected: 'true, false, or a mapping of ca and reject_unauthorized',
    default: false,
  },
);

/** `database` */
export const databaseSchema = Type.Object(
  {
    host: text({
      description: 'Host name or address of the MySQL or MariaDB server.',
      expected: 'a host name or address',
      pattern: '^[^\\s/]+$',
      examples: ['127.0.0.1'],
    }),
    port: whole(1, 65535, { description: 'TCP port of the server.', default: 3306 }),
    socket_path: Type.Optional(
      text({
        description: 'Unix socket of the server; used instead of host and port.',
        expected: 'the path of a socket',
        minLength: 1,
        examples: ['/run/mysqld/mysqld.sock'],
      }),
    ),
    user: text({
      description: 'A database user of its own for this daemon. "account-sync install --dry-run" prints its GRANTs.',
      expected: 'the name of a database user',
      minLength: 1,
      maxLength: 80,
      examples: ['account_sync'],
    }),
    password: text({
      description: 'Password of that user.',
      expected: 'text',
      secret: true,
      examples: ['${DB_PASSWORD}'],
    }),
    name: text({
      description: "Name of the site's database.",
      expected: 'the name of a database, up to 64 characters',
      pattern: '^[^\\s/\\\\.]{1,64}$',
      examples: ['osclass'],
    }),
    table_prefix: text({
      description: "Prefix of Osclass's tables (DB_TABLE_PREFIX in its config.php).",
      expected: `up to ${LONGEST_PREFIX} characters of A-Z, a-z, 0-9, _ and $`,
      pattern: PREFIX_PATTERN,
      default: 'oc_',
    }),
    ssl: sslSchema,
  },
  { description: "The site's database.", additionalProperties: false },
);
