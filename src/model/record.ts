/**
 * The native wire format: what one daemon sends to another. A record is the whole state of one user that may travel,
 * each register under its own stamp, so it may be sent twice, late and in any order.
 */
import { Type, type Static } from 'typebox';
import { BIRTH_PATTERN, birthsOf, MOST_BIRTHS, type Births } from './births.ts';
import { INSTALLATION_PATTERN } from './feed-owner.ts';
import { compareStamps, MAX_MS, parseStamp, STAMP_PATTERN, type Stamp } from './stamp.ts';
import { UID_PATTERN } from './uid.ts';

/** Version of this format; a peer that does not list it in its hello is not talked to. */
export const PROTOCOL = 'native/1';

const StampText = Type.String({
  pattern: STAMP_PATTERN,
  maxLength: 64,
  description: 'Hybrid logical time and origin: MS-COUNTER-PRIORITY-SITE',
});
const SiteText = Type.String({ pattern: '^[a-z0-9-]{1,32}$', description: 'Name of a site' });
const UidText = Type.String({ pattern: UID_PATTERN, description: 'Identity of a user across sites' });
const Uids = Type.Array(UidText, { minItems: 1, maxItems: 64 });

/** Text, NULL, bytes in hex, or a DATETIME in UTC. */
export const WireValue = Type.Union(
  [
    Type.Null(),
    Type.String(),
    Type.Object({ hex: Type.String({ pattern: '^(?:[0-9a-f]{2})*$' }) }, { additionalProperties: false }),
    Type.Object({ utc: Type.String({ maxLength: 32 }) }, { additionalProperties: false }),
  ],
  { title: 'WireValue' },
);

/** One register: its stamp (that of the record unless it names one), the stamp it replaced, and its columns. */
export const WireRegister = Type.Object(
  {
    stamp: Type.Optional(StampText),
    prior: Type.Optional(StampText),
    values: Type.Record(Type.String({ minLength: 1, maxLength: 64 }), WireValue, { maxProperties: 64 }),
    row: Type.Optional(
      Type.Boolean({
        description:
          'Of a description or a related table whose values are all NULL: whether there is a row. Only to peers whose hello lists `rows`; absent: the sender cannot tell',
      }),
    ),
  },
  { title: 'WireRegister', additionalProperties: false },
);

const BirthText = Type.String({
  pattern: BIRTH_PATTERN,
  description: 'A registration: its existence stamp, and the id of the account on the site of the stamp',
});
const BirthsSaid = Type.Array(BirthText, {
  maxItems: MOST_BIRTHS,
  description:
    'The registrations that the account was made of, where they are more than the existence stamp of the record says: two accounts that have one in common have met. Only to peers whose hello lists `proofs`, as the fields below',
});
const Overruled = Type.Array(BirthText, {
  maxItems: MOST_BIRTHS,
  description: 'Those that gave way to another whose owner had proved the address',
});
const Parted = Type.Array(BirthText, {
  maxItems: MOST_BIRTHS,
  description: 'Those of another account of the address, which a person said that this one is not',
});
const HeldUntil = Type.Integer({
  minimum: 0,
  maximum: MAX_MS,
  description:
    'Milliseconds since 1970. The account here came over from somebody who had not proved the address, and who may still be logged in: until then a change of address, and a removal, wait at the receiver',
});

/** A living user. */
export const UserRecord = Type.Object(
  {
    kind: Type.Literal('user'),
    uids: Uids,
    email: Type.String({ minLength: 1, maxLength: 320 }),
    born: StampText,
    stamp: Type.Optional({
      ...StampText,
      description: 'Stamp of the registers that name none; that of the birth if absent',
    }),
    registers: Type.Record(Type.String({ minLength: 1, maxLength: 96 }), WireRegister, { maxProperties: 512 }),
    births: Type.Optional(BirthsSaid),
    overruled: Type.Optional(Overruled),
    parted: Type.Optional(Parted),
    proof: Type.Optional(
      Type.Union(
        [
          Type.Null(),
          Type.Object(
            { site: SiteText, at: Type.Integer({ minimum: 0, maximum: MAX_MS }) },
            { additionalProperties: false },
          ),
        ],
        {
          description:
            'Where and when (milliseconds since 1970) the address of the record was proved; null: nowhere; absent: the sender cannot tell',
        },
      ),
    ),
    heldUntil: Type.Optional(HeldUntil),
  },
  { title: 'UserRecord', additionalProperties: false },
);

/** A removed user. */
export const RemovalRecord = Type.Object(
  {
    kind: Type.Literal('removal'),
    uids: Uids,
    emailHash: Type.Union([Type.Null(), Type.String({ pattern: '^[0-9a-f]{64}$' })]),
    stamp: StampText,
    births: Type.Optional(BirthsSaid),
    overruled: Type.Optional(Overruled),
    parted: Type.Optional(Parted),
    heldUntil: Type.Optional(HeldUntil),
  },
  { title: 'RemovalRecord', additionalProperties: false },
);

/** One user, alive or removed. */
export const WireRecord = Type.Union([UserRecord, RemovalRecord]);

/** Body of `POST /v1/stream`. */
export const StreamRequest = Type.Object(
  {
    site: Type.String({ minLength: 1, maxLength: 32, description: 'Name of the sending site' }),
    records: Type.Array(WireRecord, { maxItems: 5000 }),
  },
  { title: 'StreamRequest', additionalProperties: false },
);

/** What became of one record. `parked` is confirmed for the sender: the receiver keeps it. */
export const StreamResult = Type.Object(
  {
    result: Type.Union([
      Type.Literal('applied'),
      Type.Literal('unchanged'),
      Type.Literal('retry'),
      Type.Literal('parked'),
    ]),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
  },
  { title: 'StreamResult' },
);

/** Answer to `POST /v1/stream`: one result per record, in order. */
export const StreamAnswer = Type.Object(
  {
    status: Type.Literal('OK'),
    results: Type.Array(StreamResult),
  },
  { title: 'StreamAnswer', description: 'One result per record, in order' },
);

/** Answer to `GET /v1/feed`. */
export const FeedPage = Type.Object(
  {
    status: Type.Literal('OK'),
    message: Type.String({ description: 'Progress, in the words of the PHP plugin' }),
    users: Type.Array(UserRecord),
    removed: Type.Optional(
      Type.Array(RemovalRecord, { description: 'Removals that it remembers; only where `only=removed` asks for them' }),
    ),
    total: Type.Integer({ description: 'Active and enabled users' }),
    remaining: Type.Integer({ description: 'Those of them after this page' }),
    retrieved: Type.Integer({ description: 'Rows looked at for this page' }),
    limit: Type.Integer({ description: 'The limit that counted' }),
    after: Type.Integer({ description: 'Where the page began' }),
    next: Type.Integer({ description: 'Where the next page begins' }),
    done: Type.Boolean({ description: 'True if there is no next page' }),
  },
  { title: 'FeedPage', description: 'One page of users' },
);

/** Answer to `GET /v1/hello`. */
export const Hello = Type.Object(
  {
    status: Type.Literal('OK'),
    site: Type.String({ description: 'Name of the answering site' }),
    peer: Type.String({ description: 'Name under which it knows the caller' }),
    protocols: Type.Array(Type.String()),
    version: Type.String(),
    time: Type.String({ description: 'ISO 8601, UTC' }),
    timezone: Type.Boolean({ description: 'True if the site states a time zone, so times travel as UTC' }),
    receive: Type.Boolean({ description: 'It takes records from the caller' }),
    send: Type.Boolean({ description: 'It sends records to the caller' }),
    columns: Type.Object({ accept: Type.Array(Type.String()), send: Type.Array(Type.String()) }),
    installation: Type.Optional(
      Type.String({
        pattern: INSTALLATION_PATTERN,
        description:
          'Random id: another one once the site was reinstalled or restored, so that feeds from it begin at the start',
      }),
    ),
    features: Type.Optional(
      Type.Array(Type.String(), {
        description: 'What it understands beyond version 0.1.0: `rows`, `signatures`, `proofs`',
      }),
    ),
    validates: Type.Optional(
      Type.Boolean({
        description: 'Its Osclass asks whoever registers to open a link that it mails; absent: it cannot tell',
      }),
    ),
    public_key: Type.Optional(
      Type.Union([Type.Null(), Type.String({ maxLength: 64 })], {
        description: 'Fingerprint of the key that it signs with, for people to compare; null: it signs nothing',
      }),
    ),
    known_keys: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), {
        description: 'Fingerprints of the public keys that it has for the caller',
      }),
    ),
    failing_since: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description: 'Since when its own calls to the caller fail (ISO 8601)',
      }),
    ),
    called_back: Type.Optional(
      Type.Object(
        {
          result: Type.Enum(['OK', 'ERR']),
          url: Type.String({ description: 'The address that it has for the caller' }),
          code: Type.Optional(Type.String()),
          message: Type.String(),
          remedy: Type.Optional(Type.String()),
        },
        { description: 'What came of its call to the caller, where x-call-back asked for one' },
      ),
    ),
  },
  { title: 'Hello', description: 'What the answering site says of itself' },
);

/** The feature of a peer that understands `row` of {@link WireRegister}. */
export const ROWS = 'rows';

/** The feature of a peer that takes signed requests. */
export const SIGNATURES = 'signatures';

/** The feature of a peer that understands births and proofs in records. */
export const PROOFS = 'proofs';

/** The births that a record names; undefined: none. */
export function birthsIn({
  births,
  overruled,
  parted,
}: Pick<WireRecord, 'births' | 'overruled' | 'parted'>): Births | undefined {
  return births === undefined && overruled === undefined
    ? undefined
    : { live: new Set(births), overruled: new Set(overruled), parted: new Set(parted) };
}

/** Those of the account in the record. */
export function birthsOfUser(record: UserRecord): Births {
  return birthsIn(record) ?? birthsOf(parseStamp(record.born) ?? NEVER);
}

/** What a record says of where an account comes from; `heldUntilMs` only while it has not come. */
export function toWireProvenance(
  { births, heldUntilMs = 0 }: { readonly births: Births | undefined; readonly heldUntilMs: number | undefined },
  nowMs: number,
): Pick<RemovalRecord, 'births' | 'overruled' | 'parted' | 'heldUntil'> {
  const { live = [], overruled = [], parted = [] } = births ?? {};
  return {
    ...(births === undefined ? {} : { births: [...live].slice(0, MOST_BIRTHS) }),
    ...([...overruled].length === 0 ? {} : { overruled: [...overruled].slice(0, MOST_BIRTHS) }),
    ...([...parted].length === 0 ? {} : { parted: [...parted].slice(0, MOST_BIRTHS) }),
    ...(heldUntilMs <= nowMs ? {} : { heldUntil: heldUntilMs }),
  };
}

/** The stamp of one register of a record: most registers of most users were last set together. */
export function stampText(record: UserRecord, { stamp }: WireRegister): string {
  return stamp ?? record.stamp ?? record.born;
}

/** About how many bytes a record has as JSON: in texts that are long, signs that JSON escapes are few. */
export function roughBytes(record: WireRecord): number {
  if (record.kind === 'removal') return 300;
  let bytes = 200 + 40 * record.uids.length;
  for (const { values } of Object.values(record.registers)) {
    bytes += 60;
    for (const value of Object.values(values)) bytes += 30 + sizeOf(value);
  }
  return bytes;
}

function sizeOf(value: WireValue): number {
  if (value === null) return 0;
  if (typeof value !== 'string') return 'hex' in value ? value.hex.length : value.utc.length;
  // What is short may weigh three times as much, which does not matter.
  return value.length < 200 ? value.length : Buffer.byteLength(value);
}

/** The latest time a record names; a stamp that cannot be read is none. */
export function latestStamp(record: WireRecord): Stamp {
  const texts =
    record.kind === 'removal'
      ? [record.stamp]
      : [record.born, ...Object.values(record.registers).map((register) => stampText(record, register))];
  const stamps = texts.flatMap((text) => parseStamp(text) ?? []);
  return stamps.reduce((last, stamp) => (compareStamps(stamp, last) > 0 ? stamp : last), stamps[0] ?? NEVER);
}

const NEVER: Stamp = { ms: 0, counter: 0, site: '', priority: 0 };

export type WireValue = Static<typeof WireValue>;
export type WireRegister = Static<typeof WireRegister>;
export type UserRecord = Static<typeof UserRecord>;
export type RemovalRecord = Static<typeof RemovalRecord>;
export type WireRecord = Static<typeof WireRecord>;
export type StreamRequest = Static<typeof StreamRequest>;
export type StreamResult = Static<typeof StreamResult>;
export type StreamAnswer = Static<typeof StreamAnswer>;
export type FeedPage = Static<typeof FeedPage>;
export type Hello = Static<typeof Hello>;
