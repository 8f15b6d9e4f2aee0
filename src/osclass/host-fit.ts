/** What the daemon relies on in the tables of users, and what an import that stopped half-way leaves out. Pure. */
import type { Catalog, Table } from '../db/catalog.ts';
import { SyncError } from '../model/errors.ts';

/** Something that is not as Osclass makes it. */
export interface Unfit {
  /** What is wrong, in words. */
  readonly problem: string;
  /** The statement that repairs it. */
  readonly remedy: string;
  /** True if accounts would be lost or mixed up, so that nothing may be done with the table; else less is promised. */
  readonly isFatal: boolean;
}

const WHOLE_NUMBER = /^(?:tiny|small|medium|big)?int$/;

/**
 * What is wrong with `t_user` and `t_user_description`; empty: nothing. An account is known by `pk_i_id`, which the server
 * gives, and by its address, which no two have.
 */
export function findUnfit(catalog: Catalog): Unfit[] {
  const user = catalog.table('t_user');
  const description = catalog.table('t_user_description');
  return [
    ...(user === undefined ? [] : unfitUser(user)),
    ...(description === undefined ? [] : unfitDescription(description)),
    ...[user, description].flatMap((table) => (table === undefined ? [] : unfitEngine(table))),
  ];
}

/** Throws `HOST_TABLE_UNFIT` naming all that is fatal, and how to repair it. */
export function requireFit(catalog: Catalog): void {
  const fatal = findUnfit(catalog).filter(({ isFatal }) => isFatal);
  if (fatal.length === 0) return;
  throw new SyncError('HOST_TABLE_UNFIT', fatal.map(({ problem, remedy }) => `${problem}: ${remedy}`).join(' '));
}

function unfitUser(table: Table): Unfit[] {
  const found: Unfit[] = [];
  const alter = `ALTER TABLE ${table.name}`;
  const key = table.column('pk_i_id');
  const fatal = (problem: string, remedy: string): void => void found.push({ problem, remedy, isFatal: true });
  if (key === undefined || !WHOLE_NUMBER.test(key.type)) {
    fatal(
      `${table.name} has no pk_i_id of whole numbers`,
      `${alter} MODIFY pk_i_id INT UNSIGNED NOT NULL AUTO_INCREMENT;`,
    );
    return found;
  }
  if (primaryOf(table).join() !== 'pk_i_id') {
    fatal(`pk_i_id is not the primary key of ${table.name}`, `${alter} ADD PRIMARY KEY (pk_i_id);`);
  }
  if (!key.autoIncrement) {
    const type = `${key.columnType} NOT NULL AUTO_INCREMENT`;
    fatal(`pk_i_id of ${table.name} has no AUTO_INCREMENT`, `${alter} MODIFY pk_i_id ${type};`);
  }
  const email = table.column('s_email');
  if (email !== undefined && email.keyKind !== 'UNI' && primaryOf(table).join() !== 's_email') {
    fatal(`two accounts of ${table.name} may have one s_email`, `${alter} ADD UNIQUE (s_email);`);
  }
  return found;
}

function unfitDescription(table: Table): Unfit[] {
  const wanted = ['fk_i_user_id', 'fk_c_locale_code'];
  if (primaryOf(table).toSorted().join() === wanted.toSorted().join()) return [];
  const problem = `${table.name} may hold two texts of one user and language`;
  return [{ problem, remedy: `ALTER TABLE ${table.name} ADD PRIMARY KEY (${wanted.join(', ')});`, isFatal: false }];
}

/** Without transactions a marker stays where its change was undone, and a crash leaves half of what was applied. */
function unfitEngine(table: Table): Unfit[] {
  if (!/^(?:MyISAM|Aria|MEMORY|CSV|ARCHIVE)$/i.test(table.engine)) return [];
  const problem = `${table.name} is of the engine ${table.engine}, which knows no transactions`;
  return [{ problem, remedy: `ALTER TABLE ${table.name} ENGINE = InnoDB;`, isFatal: false }];
}

function primaryOf(table: Table): string[] {
  return [...table.columns.values()].filter(({ keyKind }) => keyKind === 'PRI').map(({ name }) => name);
}
