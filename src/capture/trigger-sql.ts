/**
 * The triggers, as text. Pure. They are thin: one INSERT of user id and operation into the queue, plus the id before on
 * update and the old address on delete or change; the time is the default of its column. They name no column of the host but the key and
 * `s_email`, and swallow every error of the INSERT (T2), so that the host never fails because of us.
 */
import type { Ident, Table } from '../db/catalog.ts';

/** When a trigger fires. */
export type TriggerEvent = 'INSERT' | 'UPDATE' | 'DELETE';

/** A trigger that must be there. */
export interface TriggerSpec {
  /** Short name: `user_ai`; the name in the database has the prefix in front and a number behind. */
  readonly purpose: string;
  readonly table: Ident;
  readonly event: TriggerEvent;
  /** What stands between FOR EACH ROW and the end. */
  readonly body: string;
}

/** A table whose changes are marked. */
export interface WatchedTable {
  readonly table: Table;
  /** Short name used in the names of triggers: `user`, `description`. */
  readonly short: string;
  /** The column that holds the user's id. */
  readonly key: Ident;
  /** The column whose old value a marker keeps where it is deleted or changed; only for `t_user`. */
  readonly email?: Ident;
  /** Changes of address wait in it: what is mailed for them goes to another address. */
  readonly isOfMoves?: boolean;
}

/** The three triggers of each watched table. */
export function triggerSpecs(queue: Ident, watched: readonly WatchedTable[]): TriggerSpec[] {
  return watched.flatMap(({ table, short, key, email, isOfMoves }) => {
    const part = isOfMoves === true ? 'E' : 'R';
    const spec = (letter: string, event: TriggerEvent, columns: string, values: string): TriggerSpec => ({
      purpose: `${short}_a${letter}`,
      table: table.name,
      event,
      body: triggerBody(queue, columns, values),
    });
    return [
      spec('i', 'INSERT', 'user_id, op', `NEW.${quote(key)}, '${email === undefined ? part : 'I'}'`),
      email === undefined
        ? spec('u', 'UPDATE', 'user_id, op, old_user_id', `NEW.${quote(key)}, '${part}', OLD.${quote(key)}`)
        : spec(
            'u',
            'UPDATE',
            'user_id, op, old_user_id, old_email',
            `NEW.${quote(key)}, 'U', OLD.${quote(key)}, ${formerly(quote(email))}`,
          ),
      email === undefined
        ? spec('d', 'DELETE', 'user_id, op', `OLD.${quote(key)}, '${part}'`)
        : spec('d', 'DELETE', 'user_id, op, old_email', `OLD.${quote(key)}, 'D', OLD.${quote(email)}`),
    ];
  });
}

/** What a column held before an update, if that changed it: to the byte, for some collations take other mailboxes for the same. */
function formerly(column: string): string {
  return `CASE WHEN BINARY OLD.${column} = BINARY NEW.${column} THEN NULL ELSE OLD.${column} END`;
}

/** The trigger on our own table `probe`, which does what those of the site's tables do. */
export function probeSpec(queue: Ident, probe: Ident): TriggerSpec {
  const body = triggerBody(queue, 'user_id, op', "NEW.`user_id`, 'R'");
  return { purpose: 'probe_ai', table: probe, event: 'INSERT', body };
}

/** `CREATE TRIGGER …`; to be run under `sql_mode=''` and utf8mb4, for a trigger keeps the settings it was made under. */
export function createTriggerSql(spec: TriggerSpec, name: Ident): string {
  return `CREATE TRIGGER ${quote(name)} AFTER ${spec.event} ON ${quote(spec.table)} FOR EACH ROW ${spec.body}`;
}

/** `DROP TRIGGER IF EXISTS …` */
export function dropTriggerSql(name: Ident): string {
  return `DROP TRIGGER IF EXISTS ${quote(name)}`;
}

function triggerBody(queue: Ident, columns: string, values: string): string {
  return [
    'BEGIN',
    '  DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;',
    '  IF @account_sync_applying IS NULL THEN',
    `    INSERT INTO ${quote(queue)} (${columns}) VALUES (${values});`,
    '  END IF;',
    'END',
  ].join('\n');
}

/** DDL takes no parameters; an {@link Ident} was seen in the catalog, and back-ticks in it are doubled. */
function quote(name: Ident): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
