/** The config keys that say what is synchronised, when and how far. */
import { Type } from 'typebox';
import type { RemovalMode } from '../model/route.ts';
import { choice, duration, identifier, schedule, size, text, whole } from './scalar-schemas.ts';

/** `columns` */
export const columnsSchema = Type.Object(
  {
    custom: Type.Array(identifier({ description: 'A column of t_user' }), {
      description: 'Further columns of t_user, such as those a plugin added, that may be synchronised.',
      expected: 'a list of column names',
      uniqueItems: true,
      default: [],
    }),
  },
  { description: 'Columns of t_user.', additionalProperties: false },
);

/** `capture` */
export const captureSchema = Type.Object(
  {
    mode: choice(['triggers', 'scan'], {
      description:
        'How changes are noticed: by triggers, at once; or, where the host allows none, by comparing all users every so often.',
      default: 'triggers',
    }),
    scan_every: duration({
      description: 'In scan mode: how long after one comparison of all users the next begins.',
      default: '1m',
    }),
  },
  { description: 'How changes on this site are noticed.', additionalProperties: false },
);

/** `related_tables` */
export const relatedTablesSchema = Type.Array(
  Type.Object(
    {
      table: identifier({ description: 'Name of the table without the prefix.' }),
      key: identifier({ description: 'Its column that holds the id of the user.' }),
      as: text({
        description: 'Name of the register group, the same on all sites.',
        expected: 'a name of 1 to 32 characters of a-z, 0-9 and _',
        pattern: '^[a-z0-9_]{1,32}$',
      }),
      columns: Type.Array(identifier({ description: 'A column of that table' }), {
        description: 'The columns that are synchronised.',
        expected: 'a list of column names',
        uniqueItems: true,
        minItems: 1,
      }),
    },
    { additionalProperties: false },
  ),
  {
    description:
      'Tables with one row per user that are synchronised along with it. A row that is deleted on one site is deleted on the others, with the columns that are not listed.',
    expected: 'a list of tables',
    default: [],
  },
);

/** `feed` */
export const feedSchema = Type.Object(
  {
    limit: whole(1, 10_000, {
      description: 'Most users asked for, or served, in one call; the smaller of both ends counts.',
      default: 1000,
    }),
  },
  { description: 'Pull of all existing users from a peer.', additionalProperties: false },
);

/** `stream` */
export const streamSchema = Type.Object(
  {
    schedule: schedule({
      description: 'When changes are looked for and sent: a node-schedule expression of six fields, seconds first.',
      default: '* * * * * *',
    }),
    batch_size: whole(1, 10_000, { description: 'Most users in one request.', default: 500 }),
  },
  { description: 'Push of changes to all peers.', additionalProperties: false },
);

/** `locations` */
export const locationsSchema = choice(['resolve', 'text_only'], {
  description: 'Region and city of a user: resolve the names to our own ids, or keep the text only.',
  default: 'resolve',
});

/** What `removal.mode` and `peers[].removal_mode` may be. */
export const REMOVAL_MODES = ['delete', 'disable', 'ignore'] as const satisfies readonly RemovalMode[];

/** `removal` */
export const removalSchema = Type.Object(
  {
    mode: choice(REMOVAL_MODES, {
      description:
        'What the removal of a user at a peer does here: delete the user, disable it, or nothing. peers[].removal_mode says otherwise for one peer.',
      default: 'delete',
    }),
    items_of_blocked: choice(['keep', 'hide'], {
      description: "Items of a user a peer blocked: keep them visible, or hide them as Osclass's own block does.",
      default: 'keep',
    }),
    tombstone_days: whole(1, 36_500, {
      description: 'Days for which a removal is remembered at least; always until every peer has confirmed it.',
      default: 90,
    }),
  },
  { description: 'Removal of users.', additionalProperties: false },
);

/** Share of all users, in percent. */
function share(value: number) {
  return Type.Number({
    description: 'Share of all users, in percent, that goes through as well. What exceeds both is held.',
    minimum: 0,
    maximum: 100,
    expected: 'a number from 0 to 100',
    default: value,
  });
}

/** How many go through. */
function number(description: string, usual: number) {
  return Type.Optional(whole(0, 1_000_000_000, { description, examples: [usual] }));
}

/** One class of the guard. */
function guardClass(what: string, usual: number, percent: number, without: string) {
  const description = `So many per peer and window always go through. ${without}`;
  const entries = { number: number(description, usual), percent: share(percent) };
  return Type.Object(entries, { description: what, additionalProperties: false });
}

const USUAL_OF = (usual: number): string =>
  `Without it ${usual}, but no more than 10 % of the users, and no fewer than 3.`;

/** `guard` */
export const guardSchema = Type.Object(
  {
    removals: number(
      `Removals, blocks and deactivations per peer and window that always go through. ${USUAL_OF(20)}`,
      20,
    ),
    percent: share(5),
    credentials: guardClass('New passwords and addresses. Both of one account count five times.', 10, 1, USUAL_OF(10)),
    revivals: guardClass('Accounts that are unblocked or activated.', 20, 5, USUAL_OF(20)),
    creations: guardClass('New accounts.', 500, 20, 'Without it 500.'),
    total: Type.Number({
      description: 'All peers together may change so many times as much here as one peer may.',
      minimum: 1,
      maximum: 1000,
      expected: 'a number from 1 to 1000',
      default: 2,
    }),
    window: duration({ description: 'The window in which they are counted.', default: '1h' }),
  },
  {
    description:
      'Holds what changes too many accounts at once, in and out, until a person says "account-sync approve PEER". A feed that a person starts counts removals only.',
    additionalProperties: false,
  },
);

/** `quotas` */
export const quotasSchema = Type.Object(
  {
    calls_at_once: whole(1, 1000, {
      description: 'Calls of one peer that are under way at a time; an account-sync makes up to six.',
      default: 10,
    }),
    records_per_minute: whole(1, 1_000_000_000, {
      description: 'Records that one peer may send within a minute.',
      default: 300_000,
    }),
    parked_rows: whole(1, 1_000_000_000, {
      description: 'Records of one peer that may be parked, besides those that wait for a proof (`EMAIL_UNPROVEN`).',
      default: 10_000,
    }),
    parked_size: size({
      description:
        'Size of all of them; and once more of those that wait for a proof: beyond that only the identity of the account is kept.',
      default: '64MiB',
    }),
  },
  {
    description:
      'What one peer may take of this site. What exceeds is answered with 429: nothing is lost, the peer comes again.',
    additionalProperties: false,
  },
);
