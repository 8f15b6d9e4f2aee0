import { describe, expect, it, onTestFinished } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { probeRights, RIGHTS, type Right } from '../../src/capture/rights.ts';
import { readCatalog } from '../../src/db/catalog.ts';
import { openPool } from '../../src/db/pool.ts';
import { readServerFacts } from '../../src/db/server-facts.ts';
import { createAccount, type TestAccount } from '../support/database.ts';
import { hostPool, type HostPool } from '../support/host-pool.ts';
import { databaseConfig } from '../support/pool.ts';

/** A site, seen through an account with these rights. */
const limited = async (rights: readonly string[]): Promise<HostPool & { account: TestAccount }> => {
  const site = await hostPool();
  const account = await createAccount(site.database, [rights.join(', ')]);
  const pool = openPool(databaseConfig(account));
  onTestFinished(() => pool.close());
  const { db } = pool;
  return { ...site, account, db, catalog: await readCatalog(db, site.database.name, 'oc_') };
};

/** Everything of ours in the database. */
const traces = async ({ database }: HostPool): Promise<unknown[]> => [
  ...(await database.query(`SHOW TABLES LIKE 'oc\\_account\\_sync%'`)),
  ...(await database.query('SHOW TRIGGERS')),
];

/** Whether this server refuses triggers to accounts without SUPER (error 1419). */
const isStrict = async ({ db }: HostPool): Promise<boolean> => {
  const { logBin, trustFunctionCreators } = await readServerFacts(db);
  return logBin && !trustFunctionCreators;
};

const without = (right: Right): Right[] => RIGHTS.filter((one) => one !== right);

describe('the rights of the account', () => {
  it('are all there with what the GRANT says, or only trust is missing', async () => {
    const site = await limited(RIGHTS);
    expect(await probeRights(site.db, site.catalog)).toEqual({
      missing: [],
      bySessionOnly: [],
      needsTrust: await isStrict(site),
    });
    expect(await traces(site)).toEqual([]);
  });

  it.each(RIGHTS.filter((right) => right !== 'TRIGGER'))(
    'are known to lack %s, and an installation leaves nothing',
    async (right) => {
      const site = await limited(without(right));
      expect((await probeRights(site.db, site.catalog)).missing).toEqual([right]);
      await expect(installOnce(site.db, site.catalog)).rejects.toMatchObject({
        code: 'DB_MISSING_RIGHT',
        message: expect.stringContaining(`lacks ${right} on`),
      });
      expect(await traces(site)).toEqual([]);
    },
  );

  it('are known to lack TRIGGER, or trust before that, and an installation leaves nothing', async () => {
    const site = await limited(without('TRIGGER'));
    const code = (await isStrict(site)) ? 'TRIGGERS_NEED_TRUST' : 'DB_MISSING_RIGHT';
    await expect(installOnce(site.db, site.catalog)).rejects.toMatchObject({ code });
    expect(await traces(site)).toEqual([]);
  });

  it('all missing ones are named at once', async () => {
    const site = await limited(['SELECT', 'INSERT', 'TRIGGER']);
    const { missing } = await probeRights(site.db, site.catalog);
    expect(missing).toEqual(['UPDATE', 'DELETE', 'CREATE', 'ALTER', 'DROP', 'INDEX']);
  });

  it('suffice for an installation, or the server asks for trust and nothing is left', async () => {
    const site = await limited(RIGHTS);
    const isRefused = await isStrict(site);
    const came = await installOnce(site.db, site.catalog).catch((error: unknown) => error);
    expect(came).toMatchObject(isRefused ? { code: 'TRIGGERS_NEED_TRUST' } : { triggers: 9 });
    expect((await traces(site)).length > 0).toBe(!isRefused);
  });
});
