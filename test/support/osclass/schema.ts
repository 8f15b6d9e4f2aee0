import type { Connection } from 'mysql2/promise';
import { itemTables } from './ddl-items.ts';
import { placeTables } from './ddl-places.ts';
import { businessProfileTable, userTables } from './ddl-users.ts';
import { FLAVOURS, type Flavour } from './flavour.ts';

/** What kind of site to make. */
export interface SchemaOptions {
  flavour: Flavour;
  /** Table prefix; `oc_` unless given. */
  prefix?: string;
  /** Also the table of a plugin with one row per user, `t_user_business_profile`. */
  businessProfiles?: boolean;
  /**
   * Engine of `t_item_description`. MyISAM (the default here, and what sites carry with them that began before 5.x)
   * knows no transactions; sites installed with 5.x or later have InnoDB.
   */
  itemDescriptionEngine?: 'MyISAM' | 'InnoDB';
}

const siteTables = (modern: boolean): [string, string][] => [
  [
    't_preference',
    `s_section varchar(128) NOT NULL,
     s_name varchar(128) NOT NULL,
     s_value longtext NOT NULL,
     e_type enum('STRING','INTEGER','BOOLEAN') NOT NULL,
     UNIQUE KEY s_section (s_section, s_name)`,
  ],
  [
    't_log',
    `dt_date datetime NOT NULL,
     s_section varchar(50) NOT NULL,
     s_action varchar(50) NOT NULL,
     fk_i_id int unsigned NOT NULL,
     s_data varchar(250) NOT NULL,
     s_ip varchar(${modern ? 64 : 50}) ${modern ? 'NULL' : 'NOT NULL'},
     s_who varchar(50) NOT NULL,
     fk_i_who_id int unsigned NOT NULL`,
  ],
];

/**
 * Creates the tables of an Osclass site in the connection's database, empty. They must not exist.
 * Works in any session: while it runs the session has no strict mode (a zero date is a default in 3.7); the mode that
 * was set before is set again after.
 */
export const createOsclassSchema = async (connection: Connection, options: SchemaOptions): Promise<void> => {
  const facts = FLAVOURS[options.flavour];
  const t = (name: string): string => `${options.prefix ?? 'oc_'}${name}`;
  const engineOf = (name: string): string =>
    name === 't_item_description' ? (options.itemDescriptionEngine ?? 'MyISAM') : 'InnoDB';
  const tables = [
    ...placeTables(t, facts),
    ...userTables(t, facts),
    ...itemTables(t, facts),
    ...siteTables(facts.modern),
    ...(options.businessProfiles === true ? [businessProfileTable(t)] : []),
  ];

  await connection.query('SET @host_sql_mode = @@SESSION.sql_mode, SESSION sql_mode = ""');
  try {
    for (const [name, body] of tables) {
      await connection.query(
        `CREATE TABLE \`${t(name)}\` (${body}) ENGINE=${engineOf(name)} ` +
          `DEFAULT CHARACTER SET ${facts.charset} COLLATE ${facts.collation}`,
      );
    }
  } finally {
    await connection.query('SET SESSION sql_mode = @host_sql_mode');
  }
};
