/** Rows about what is ours in the site's database: tables, triggers, the account, the daemon itself. */
import type { Connection } from 'mysql2/promise';
import { RIGHTS } from '../../src/capture/rights.ts';
import type { Row } from './row.ts';
import type { Stage } from './stage.ts';

const QUEUE = 'oc_account_sync_queue';

/** A person follows "account-sync install". */
const restart = async ({ cars }: Stage): Promise<void> => {
  await cars.stop();
  await cars.start();
};

/** A name of another account, no longer than the 32 characters that MySQL allows. */
const away = (account = ''): string => `${account.slice(0, 27)}_away`;

/** What can happen to it. */
export const OURS: readonly Row[] = [
  {
    name: 'daemon dead for a while',
    small: true,
    async happen({ cars, visitors }) {
      await cars.stop();
      await visitors.some(40);
      await cars.start();
    },
  },
  {
    name: 'queue table dropped',
    small: true,
    happen: ({ root }) => root.query(`DROP TABLE ${QUEUE}`),
    says: /account_sync_queue' doesn't exist|tables? .{0,40}missing/,
    repair: restart,
  },
  {
    name: 'queue table renamed',
    happen: ({ root }) => root.query(`RENAME TABLE ${QUEUE} TO ${QUEUE}_away`),
    says: /account_sync_queue' doesn't exist|tables? .{0,40}missing/,
    repair: restart,
  },
  {
    name: 'queue table full',
    async happen({ root, visitors }) {
      await root.query(`ALTER TABLE ${QUEUE} MODIFY seq TINYINT UNSIGNED NOT NULL AUTO_INCREMENT`);
      await root.query(`ALTER TABLE ${QUEUE} AUTO_INCREMENT = 255`);
      await visitors.some(20);
    },
    says: /queue cannot be written/,
    repair: ({ root }) => root.query(`ALTER TABLE ${QUEUE} MODIFY seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT`),
  },
  {
    name: 'queue table broken: its file is gone',
    impossible:
      'MySQL opens the queue before the trigger runs, and refuses the statement (1814) until the daemon has taken its triggers away: about a second. MariaDB does not.',
    async happen({ root, visitors }) {
      await root.query(`ALTER TABLE ${QUEUE} DISCARD TABLESPACE`);
      await visitors.some(20);
    },
    says: /Repair it, or drop it/,
    repair: ({ root }) => root.query(`DROP TABLE ${QUEUE}`),
  },
  {
    name: 'triggers dropped',
    small: true,
    async happen({ root, visitors }) {
      const [rows] = await root.query('SHOW TRIGGERS');
      for (const { Trigger } of rows as { Trigger: string }[]) await root.query(`DROP TRIGGER ${Trigger}`);
      await visitors.some(10);
    },
    says: /triggers were missing; made again/,
  },
  {
    name: 'account of the daemon without the rights INSERT, UPDATE and DELETE',
    ownAccount: true,
    async happen({ root, account, cars, visitors }) {
      await root.query(`REVOKE INSERT, UPDATE, DELETE ON ${cars.db.name}.* FROM '${account}'@'%'`);
      await visitors.some(40);
    },
    says: /queue cannot be written|lacks rights/,
    repair: ({ root, account, cars }) =>
      root.query(`GRANT INSERT, UPDATE, DELETE ON ${cars.db.name}.* TO '${account}'@'%'`),
  },
  {
    name: 'account of the daemon without the right TRIGGER',
    ownAccount: true,
    impossible:
      'Servers ask for the right of the definer before a trigger runs (1142): "account-sync uninstall" first.',
    async happen({ root, account, cars, visitors }) {
      await root.query(`REVOKE TRIGGER ON ${cars.db.name}.* FROM '${account}'@'%'`);
      await visitors.some(10);
    },
    says: /account of the daemon lacks TRIGGER/,
    repair: ({ root, account, cars }) => root.query(`GRANT TRIGGER ON ${cars.db.name}.* TO '${account}'@'%'`),
  },
  {
    name: 'account of the daemon without the right INSERT on the queue alone',
    ownAccount: true,
    async happen({ root, account, cars, visitors }) {
      const [rows] = await root.query('SHOW FULL TABLES');
      for (const row of rows as Record<string, string>[]) {
        await root.query(`GRANT INSERT ON \`${Object.values(row)[0]}\` TO '${account}'@'%'`);
      }
      await root.query(`REVOKE INSERT ON ${cars.db.name}.* FROM '${account}'@'%'`);
      await visitors.some(10);
      await root.query(`REVOKE INSERT ON ${QUEUE} FROM '${account}'@'%'`);
      await visitors.some(40);
    },
    says: /queue cannot be written|lacks rights/,
    repair: ({ root, account, cars }) => root.query(`GRANT INSERT ON ${cars.db.name}.* TO '${account}'@'%'`),
  },
  {
    name: 'rights of the account of the daemon moved to a role',
    on: 'mariadb',
    ownAccount: true,
    impossible:
      'MariaDB asks for the right of the definer, without its roles, before a trigger runs (1142), until the daemon has taken its triggers away: a few seconds.',
    impossibleErrors: /command denied to user/,
    impossibleForMs: 12_000,
    async happen({ root, account, cars, visitors }) {
      const all = RIGHTS.join(', ');
      await root.query(`CREATE ROLE role_${account}`);
      await root.query(`GRANT ${all} ON ${cars.db.name}.* TO role_${account}`);
      await root.query(`GRANT role_${account} TO '${account}'@'%'`);
      await root.query(`SET DEFAULT ROLE role_${account} FOR '${account}'@'%'`);
      await root.query(`REVOKE ${all} ON ${cars.db.name}.* FROM '${account}'@'%'`);
      await visitors.some(10);
    },
    says: /lacks? TRIGGER|lacks rights|DB_MISSING_RIGHT|DB_ACCESS_DENIED/,
    async repair({ root, account, cars }) {
      await root.query(`GRANT ${RIGHTS.join(', ')} ON ${cars.db.name}.* TO '${account}'@'%'`);
      await root.query(`DROP ROLE role_${account}`);
    },
  },
  {
    name: 'account of the daemon without any right',
    ownAccount: true,
    impossible: 'As without the right TRIGGER.',
    async happen({ root, account, cars, visitors }) {
      await root.query(`REVOKE ALL ON ${cars.db.name}.* FROM '${account}'@'%'`);
      await visitors.some(3);
    },
    says: /queue cannot be written|DB_ACCESS_DENIED|DB_MISSING_RIGHT/,
    repair: ({ root, account, cars }) =>
      root.query(`GRANT ${RIGHTS.join(', ')} ON ${cars.db.name}.* TO '${account}'@'%'`),
  },
  {
    name: 'account of the daemon dropped',
    ownAccount: true,
    impossible:
      'Servers look for the definer before a trigger runs (1449), so nothing in the trigger can help; the triggers have to go, or the account to come back.',
    async happen({ root, account, visitors }) {
      await root.query(`RENAME USER '${account}'@'%' TO '${away(account)}'@'%'`);
      await visitors.some(3);
    },
    says: /queue cannot be written|DB_ACCESS_DENIED|DB_MISSING_RIGHT/,
    repair: ({ root, account }) => root.query(`RENAME USER '${away(account)}'@'%' TO '${account}'@'%'`),
  },
  {
    name: 'triggers made by another account',
    happen: ({ root }) => remakeTriggers(root, 'CURRENT_USER'),
  },
  {
    name: 'triggers of an account that does not exist',
    impossible:
      'Servers look for the definer before a trigger runs (1449), until the daemon has made them again: about a second.',
    happen: ({ root }) => remakeTriggers(root, `'nobody'@'nowhere'`),
  },
];

/** As a dump that is played back does: the same triggers, under an account of its own. */
async function remakeTriggers(root: Connection, definer: string): Promise<void> {
  const [rows] = await root.query(`SELECT TRIGGER_NAME AS name, EVENT_MANIPULATION AS event, EVENT_OBJECT_TABLE AS tab,
    ACTION_STATEMENT AS body FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()`);
  await root.query(`SET SESSION sql_mode = ''`);
  for (const { name, event, tab, body } of rows as Record<string, string>[]) {
    await root.query(`DROP TRIGGER ${name}`);
    await root.query(`CREATE DEFINER = ${definer} TRIGGER ${name} AFTER ${event} ON ${tab} FOR EACH ROW ${body}`);
  }
}
