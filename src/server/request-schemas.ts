/** What may stand behind the question mark, and in the bodies of the admin routes. Anything else is 422. */
import { Type } from 'typebox';
import { GUARD_CLASSES } from '../model/guard.ts';
import type { LogType } from '../model/log-entry.ts';

const Id = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const PeerName = Type.String({ pattern: '^[a-z0-9-]{1,32}$', description: 'the name of a peer in the config' });
const closed = { additionalProperties: false } as const;

/** A date, or a date and time; without a zone it is UTC. */
const TIME_PATTERN = '^\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}(:\\d{2}([.]\\d{1,9})?)?(Z|[+-]\\d{2}:?\\d{2})?)?$';
const When = Type.String({
  pattern: TIME_PATTERN,
  description: 'an ISO 8601 date, or date and time; UTC unless it says otherwise',
});

export const LogQuerystring = Type.Object(
  {
    type: Type.Optional(Type.Enum(['FEED', 'STREAM', 'PROCESS'])),
    peer: Type.Optional(PeerName),
    status: Type.Optional(Type.String({ pattern: '^(OK|ERR|[1-5][0-9]{2})$', description: 'an HTTP code, OK or ERR' })),
    search: Type.Optional(
      Type.String({ maxLength: 200, description: 'Part of response or content, whatever the case' }),
    ),
    from: Type.Optional(When),
    to: Type.Optional(When),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    trace: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'Only the records of one exchange: the same id is in the log of the peer',
      }),
    ),
    before: Type.Optional(
      Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: '`next` of the page before' }),
    ),
    after: Type.Optional({ ...Id, description: 'Only records with a greater id, oldest first: to follow the log' }),
  },
  closed,
);
export const FeedQuerystring = Type.Object(
  {
    after: Type.Optional({ ...Id, default: 0 }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1000 })),
    times: Type.Optional(Type.Enum(['utc', 'local'])),
    rows: Type.Optional(Type.Enum(['said'])),
    proofs: Type.Optional(Type.Enum(['said'])),
    only: Type.Optional(
      Type.Enum(['ids', 'removed'], {
        description:
          'No users. `ids`: only where the page ends, for one whose answer does not get through. `removed`: the removals that the site remembers, by numbers of their own',
      }),
    ),
  },
  closed,
);
export const EntryQuerystring = Type.Object(
  {
    peer: Type.Optional(PeerName),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    after: Type.Optional(Type.String({ maxLength: 64, pattern: '^([0-9]+|[a-z0-9-]+:[ur]:[0-9]+)$' })),
  },
  closed,
);
/** Most routes take no parameter at all. */
export const NoQuerystring = Type.Object({}, closed);
/** Of `POST /v1/peers/NAME/feed`. */
export const FollowQuerystring = Type.Object(
  {
    follow: Type.Optional(
      Type.String({
        maxLength: 32,
        description:
          'Our `site.name`: the answer then tells of the feed until its end, and the feed ends with the connection',
        examples: ['cars'],
      }),
    ),
  },
  closed,
);
export const FeedBody = Type.Union(
  [
    Type.Null(),
    Type.Object(
      {
        restart: Type.Optional(Type.Boolean({ default: false })),
        dry_run: Type.Optional(Type.Boolean({ default: false })),
        once: Type.Optional(Type.Boolean({ default: false })),
        overwrite: Type.Optional(Type.Boolean({ default: false })),
      },
      closed,
    ),
  ],
  { title: 'FeedBody' },
);
/** Of `POST /v1/peers/NAME/approve`. */
export const ApproveBody = Type.Union(
  [
    Type.Null(),
    Type.Object(
      {
        class: Type.Optional(Type.Enum([...GUARD_CLASSES], { description: 'Only what is held of this class' })),
        dry_run: Type.Optional(Type.Boolean({ default: false })),
      },
      closed,
    ),
  ],
  { title: 'ApproveBody' },
);
/** Of `POST /v1/link` and `/v1/unlink`. */
export const LinkBody = Type.Object(
  {
    email: Type.String({ minLength: 1, maxLength: 320, description: 'Address of the account here' }),
    peer: PeerName,
    dry_run: Type.Optional(Type.Boolean({ default: false })),
  },
  { title: 'LinkBody', additionalProperties: false },
);
export const PeerParams = Type.Object({
  name: Type.String({ maxLength: 100, description: 'Name of a peer in the config', examples: ['homes'] }),
});
export const ParkedParams = Type.Object({
  id: Type.String({ maxLength: 100, description: '`id` of an entry of `GET /v1/parked`', examples: ['17'] }),
});

/** Which log records are wanted. Newest first, but with `after` oldest first. */
export interface LogQuery {
  readonly type?: LogType;
  readonly peer?: string;
  /** An HTTP code, `OK` or `ERR`. */
  readonly status?: string;
  readonly search?: string;
  readonly trace?: string;
  /** Both inclusive, milliseconds since 1970. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly limit: number;
  /** Only records older than that of this id. */
  readonly before?: number;
  /** Only records with a greater id. */
  readonly after?: number;
}

/** Which outbox entries, or parked ones, are wanted; `after` is the `next` of the page before. */
export interface EntryQuery {
  readonly peer?: string;
  readonly limit: number;
  readonly after?: string;
}
