/** The config keys of one peer. */
import { Type } from 'typebox';
import {
  choice,
  columnList,
  duration,
  flag,
  key,
  KEY_EXPECTED,
  PUBLIC_KEY_EXPECTED,
  publicKey,
  siteName,
  timeZone,
  url,
} from './scalar-schemas.ts';
import { REMOVAL_MODES } from './schema-sync.ts';

const apiKey = key({ description: 'A key of the peer' });
const pinned = publicKey({ description: 'A public key of the peer' });

/** One entry of `peers` */
const peerSchema = Type.Object(
  {
    name: siteName({ description: "The peer's name: its site.name.", examples: ['homes'] }),
    url: url({
      description: "Address of the peer's daemon; a / is added at the end if there is none.",
      examples: ['https://homes.example.com/account-sync/'],
    }),
    public_key: Type.Optional(
      Type.Union([pinned, Type.Array(pinned, { minItems: 1, uniqueItems: true, expected: 'a list of public keys' })], {
        description:
          'Only for native peers: its calls have to be signed with the private half, its site.signing_key, and its api_key ' +
          'opens nothing any more. A list while it changes its key: all are accepted. Compare the fingerprint that ' +
          '"account-sync check" shows with its operator.',
        expected: PUBLIC_KEY_EXPECTED,
        unquoted: true,
        shown: true,
        examples: ['${HOMES_PUBLIC_KEY}'],
      }),
    ),
    api_key: Type.Optional(
      Type.Union([apiKey, Type.Array(apiKey, { minItems: 1, uniqueItems: true, expected: 'a list of keys' })], {
        description:
          'What a peer without public_key identifies itself with: its site.api_key, or the send_key of its entry for us. A ' +
          'list while it changes its key: all are accepted.',
        expected: KEY_EXPECTED,
        secret: true,
        examples: ['${HOMES_API_KEY}'],
      }),
    ),
    send_key: Type.Optional(
      key({
        description:
          'What we identify ourselves with to this peer where it does not take our signature, in place of site.api_key: ' +
          'with a key of its own for each link, none can be us to another.',
        examples: ['${KEY_FOR_HOMES}'],
      }),
    ),
    protocol: choice(['native', 'plugin'], {
      description: 'native: another account-sync; plugin: the PHP plugin.',
      default: 'native',
    }),
    columns: columnList({
      description:
        'What we accept from it: default (all columns of Osclass that may travel but s_secret and s_profile_img, plus ' +
        'columns.custom, user_description and the related groups), all, or a list of column names, user_description ' +
        'and related groups. s_secret and consent columns (i_gdpr_*) count only when listed by name. Without s_email, ' +
        'accounts are found and made by their address, and a change of it waits for a person (NOT_ACCEPTED).',
      default: 'default',
    }),
    send_columns: columnList({ description: 'What we send to it, likewise, and always s_email.', default: 'default' }),
    receive: flag({ description: 'Accept changes from it.', default: true }),
    send: flag({ description: 'Send changes to it.', default: true }),
    relay: flag({
      description: 'Pass on what it sends to the other peers. For both ways between two peers, both entries need it.',
      default: false,
    }),
    removal_mode: Type.Optional(
      choice(REMOVAL_MODES, {
        description: 'What its removals do here; without it, what removal.mode says.',
        examples: ['disable'],
      }),
    ),
    email_trust: Type.Optional(
      choice(['auto', 'verified', 'unproven', 'none'], {
        description:
          'Whose addresses are proved there. Two accounts that never met become one only if both addresses are proved. auto: what ' +
          'the peer says of each account is believed (default of native peers). verified: active accounts that were registered there count as proved; only if ' +
          'addresses of that site are proved, or it and this one are yours and you accept that whoever registers there with ' +
          "somebody else's address gets that account here. unproven: none counts (default of plugin peers, which cannot tell). " +
          'none: likewise, and new accounts arrive inactive and without password, so that the mail of this site proves the address.',
        examples: ['verified'],
      }),
    ),
    sanitize: Type.Optional(
      choice(['osclass', 'none'], {
        description:
          'osclass: names, places, telephone numbers, websites and descriptions that it sends are stored as a form of ' +
          'Osclass would store them: without markup, and without websites such as javascript:. none: as they are. ' +
          'Without it: osclass for plugin peers, none for native ones.',
        examples: ['none'],
      }),
    ),
    timezone: Type.Optional(
      timeZone({
        description:
          "Only for plugin peers: IANA zone of the peer's DATETIME values, which it says without one. Without it they " +
          'count as ours.',
        examples: ['America/New_York'],
      }),
    ),
    feed_schedule: Type.Optional(
      duration({
        description:
          'Only for plugin peers: everybody there is asked for again within this time, a page now and then, to catch ' +
          'what the plugin forgot to send. Blocked, inactive and removed users cannot be learned this way.',
        examples: ['24h'],
      }),
    ),
  },
  { additionalProperties: false },
);

/** `peers` */
export const peersSchema = Type.Array(peerSchema, {
  description: 'The other sites.',
  expected: 'a list of peers',
  default: [],
});
