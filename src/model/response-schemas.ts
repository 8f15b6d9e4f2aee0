/** What the admin and open routes answer: one description for types, tests and /openapi.json. */
import { Type, type Static, type TSchema } from 'typebox';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Time = Type.String({ description: 'ISO 8601, UTC, milliseconds' });
const Count = Type.Integer({ minimum: 0 });
const Masked = Type.String({ description: 'Masked e-mail address' });

/** Every answer that is no success. */
export const ErrorAnswer = Type.Object(
  {
    status: Type.Literal('ERR'),
    code: Type.String({ description: 'A code of the error registry' }),
    message: Type.String(),
    trace: Type.Optional(Type.String({ description: 'Only with INTERNAL: look for it in our log' })),
  },
  { title: 'ErrorAnswer', description: 'Why it was not done' },
);

/** One log record. */
export const LogRecord = Type.Object(
  {
    id: Type.Integer({ description: 'Rising number' }),
    type: Type.Enum(['FEED', 'STREAM', 'PROCESS']),
    peer: nullable(Type.String()),
    key: nullable(Type.String({ description: 'First 8 hex digits of the SHA-256 of the key that was used' })),
    ip: nullable(Type.String()),
    date: Time,
    status: Type.String({ description: 'HTTP code, OK or ERR' }),
    response: Type.String(),
    content: Type.Record(Type.String(), Type.Unknown()),
    trace: Type.String(),
  },
  { title: 'LogRecord' },
);
export const LogPage = Type.Object(
  {
    logs: Type.Array(LogRecord),
    next: nullable(
      Type.Integer({
        description:
          'Goes into `before`, or into `after` if that was given; null at the end. A search looks at 6,000 records for a page, so there may be fewer than `limit`, or none, and more to come.',
      }),
    ),
  },
  { title: 'LogPage', description: 'One page, newest first; with `after` oldest first' },
);

/** Numbers of each class of the guard; one user may be in several. */
const ByClass = Type.Object(
  { removals: Count, credentials: Count, revivals: Count, creations: Count },
  { title: 'ByClass', description: 'By class of the guard; one user may be in several' },
);

/** What is known of one peer. */
export const PeerSummary = Type.Object(
  {
    name: Type.String(),
    url: Type.String(),
    protocol: Type.Enum(['native', 'plugin']),
    columns: Type.Array(Type.String(), { description: 'What we accept' }),
    send_columns: Type.Array(Type.String(), { description: 'What we send' }),
    last_user_id: Type.Integer({
      description: 'Feed cursor: highest id taken from the peer; 0 where it was taken from another installation',
    }),
    feed_due: Type.Boolean({
      description:
        'No feed from the start has come to its end since the peer is the installation that it is: run one from it',
    }),
    feed_due_reason: nullable(Type.String({ description: 'Why, in words; null: none is due' })),
    synced_from: nullable(Time),
    synced_to: nullable(Time),
    received_total: Type.Integer({ description: 'Records of users and removals taken from it, in streams and feeds' }),
    sent_total: Type.Integer({ description: 'Records that it confirmed, or was given in a feed' }),
    status: nullable(Type.String({ description: 'Of the last call: HTTP code, OK or ERR' })),
    message: nullable(Type.String()),
    date: nullable(Time),
    failing_since: nullable(Time),
    pending: Count,
    oldest_pending_age: nullable(Type.Number({ description: 'Seconds' })),
    unknown_locations: Type.Integer({ description: 'Names of places it sent that this site does not know' }),
    parked: Type.Integer({ minimum: 0, description: 'What waits for a person, without what is unproven' }),
    unproven: Type.Integer({
      minimum: 0,
      description: 'Accounts of it whose address nobody proved there, and that wait for that (EMAIL_UNPROVEN)',
    }),
    held: Type.Integer({
      minimum: 0,
      description: 'Users and removals of which the guard holds something, in and out',
    }),
    held_by_class: ByClass,
  },
  { title: 'PeerSummary' },
);
export const PeerPage = Type.Object(
  { peers: Type.Array(PeerSummary), next: Type.Null() },
  { title: 'PeerPage', description: 'All peers of the config' },
);
export const PeerDetail = Type.Intersect(
  [PeerSummary, Type.Object({ logs: Type.Array(LogRecord, { description: 'The last 20' }) })],
  { title: 'PeerDetail', description: 'The peer' },
);

/** A feed of ours from a peer: under way, or the last one. */
export const FeedProgress = Type.Object(
  {
    peer: Type.String(),
    running: Type.Boolean(),
    message: nullable(Type.String({ description: 'Progress, in the words of the PHP plugin' })),
    retrieved: Count,
    remaining: Count,
    total: Count,
    last_user_id: Type.Integer(),
    error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  },
  { title: 'FeedProgress', description: 'A feed of ours from a peer: under way, or the last one' },
);

/** Counts of one drain and delivery. */
export const RunOutcome = Type.Object(
  {
    drained: Type.Integer({ description: 'Markers processed' }),
    sent: Type.Integer({ description: 'Records that a peer confirmed' }),
    pending: Type.Integer({ description: 'Entries that still wait' }),
  },
  { title: 'RunOutcome' },
);

/** A user or removal still to be sent. */
export const PendingEntry = Type.Object(
  {
    peer: Type.String(),
    kind: Type.Enum(['user', 'removal']),
    user_id: nullable(Type.Integer()),
    email: nullable(Masked),
    state: Type.Enum(['waiting', 'held']),
    since: Time,
    due: Time,
    attempts: Count,
    code: nullable(Type.String()),
    message: Type.String({ description: 'Why it waits' }),
  },
  { title: 'PendingEntry' },
);
export const PendingPage = Type.Object(
  {
    pending: Type.Array(PendingEntry),
    next: nullable(Type.String({ description: 'Goes into `after`' })),
  },
  { title: 'PendingPage', description: 'One page, by peer, kind and id' },
);

/** What waits for a person: a record that came in, or an entry of ours that a peer cannot take. */
export const ParkedEntry = Type.Object(
  {
    id: Type.String({ description: 'Goes into the address of retry and drop' }),
    direction: Type.Enum(['in', 'out']),
    peer: Type.String(),
    kind: Type.Enum(['user', 'removal']),
    user_id: nullable(Type.Integer()),
    email: nullable(Masked),
    code: Type.String(),
    message: Type.String(),
    remedy: Type.String({ description: 'What to do about it' }),
    since: Time,
    tried: nullable(Time),
    attempts: Count,
  },
  { title: 'ParkedEntry' },
);
export const ParkedPage = Type.Object(
  {
    parked: Type.Array(ParkedEntry),
    next: nullable(Type.String({ description: 'Goes into `after`' })),
  },
  { title: 'ParkedPage', description: 'One page: first what came in, then what cannot go out' },
);
export const RetryOutcome = Type.Object(
  {
    result: Type.Enum(['applied', 'unchanged', 'retry', 'parked', 'waiting']),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
  },
  { title: 'RetryOutcome' },
);
export const ReleaseOutcome = Type.Object(
  {
    released: Type.Integer({ description: 'Users and removals let through, or with `dry_run` to be let through' }),
    by_class: ByClass,
    dry_run: Type.Boolean(),
  },
  { title: 'ReleaseOutcome' },
);

export const LinkOutcome = Type.Object(
  {
    result: Type.Enum(['linked', 'sent', 'parted', 'unchanged', 'parked', 'retry'], {
      description:
        'linked: what waited of the peer was merged here. sent: nothing of it waited; the address counts as proved here, and the account goes to the peer, to be merged there. parted: they are two. unchanged: they were so before. parked, retry: something still waits, see code',
    }),
    user_id: Type.Integer({ description: 'Of the account here' }),
    email: Masked,
    blocked: Type.Boolean({ description: 'The account is blocked here, and a block travels' }),
    records: Type.Integer({ description: 'How many records of the peer waited' }),
    registers: Type.Optional(Type.Array(Type.String(), { description: 'What was taken over here' })),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
    dry_run: Type.Boolean(),
  },
  { title: 'LinkOutcome' },
);

const Check = Type.Object(
  { status: Type.Enum(['ok', 'degraded', 'down']), message: Type.String() },
  { title: 'Check' },
);
export const Health = Type.Object(
  {
    status: Type.Enum(['ok', 'degraded', 'down']),
    checks: Type.Object({
      database: Check,
      triggers: Check,
      queue: Check,
      peers: Check,
      config: Check,
      clock: Check,
      users: Check,
      identity: Check,
      host: Check,
    }),
  },
  { title: 'Health', description: 'Each check, and the worst of them' },
);

export type ErrorAnswer = Static<typeof ErrorAnswer>;
export type LogRecord = Static<typeof LogRecord>;
export type LogPage = Static<typeof LogPage>;
export type PeerSummary = Static<typeof PeerSummary>;
export type PeerDetail = Static<typeof PeerDetail>;
export type FeedProgress = Static<typeof FeedProgress>;
export type RunOutcome = Static<typeof RunOutcome>;
export type PendingEntry = Static<typeof PendingEntry>;
export type ParkedEntry = Static<typeof ParkedEntry>;
export type PendingPage = Static<typeof PendingPage>;
export type ParkedPage = Static<typeof ParkedPage>;
export type RetryOutcome = Static<typeof RetryOutcome>;
export type ReleaseOutcome = Static<typeof ReleaseOutcome>;
export type LinkOutcome = Static<typeof LinkOutcome>;
export type Health = Static<typeof Health>;
