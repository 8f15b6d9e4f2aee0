/**
 * C2, the small part: daemons of three sites under writes are killed by SIGKILL at random moments and started again.
 * `npm run test:kills` kills 200 times. KILLS_SEED repeats a run, KILLS sets how many.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { doubledEffects, watchEffects } from '../endurance/effects.ts';
import { isGood } from '../endurance/end.ts';
import { playKills } from '../endurance/kills.ts';
import { letPeopleWrite } from '../endurance/people.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld } from '../support/world.ts';

const SEED = Number(process.env['KILLS_SEED'] ?? Math.floor(Math.random() * 1e9));
const KILLS = Number(process.env['KILLS'] ?? 8);

describe(`${KILLS} kills of daemons of three sites under writes (KILLS_SEED=${SEED})`, () => {
  it('lose nothing, double nothing, and need nobody', { timeout: 400_000 }, async () => {
    const told: string[] = [];
    const killed = await playKills({ kills: KILLS, seed: SEED, print: (line) => void told.push(line) });
    const { lost, doubled, hostErrors, flaws, errors } = killed;
    expect({ lost, doubled, hostErrors, flaws, errors }).toEqual({
      lost: [],
      doubled: [],
      hostErrors: [],
      flaws: [],
      errors: [],
    });
    expect(killed.kills).toBe(KILLS);
    expect(killed.written).toBeGreaterThan(KILLS);
    expect(isGood(killed)).toBe(true);
  });

  it('would be told from those that lose or double', async () => {
    const world = await makeWorld(['cars'], { idle: true });
    onTestFinished(() => world.close());
    const cars = world.site('cars');
    await watchEffects(cars);
    const people = letPeopleWrite(world, String(SEED), 5);
    await eventually(() => expect(people.written()).toBeGreaterThan(60), { timeoutMs: 20_000 });
    await people.stop();
    expect([people.errors, await people.lost(), await doubledEffects(cars)]).toEqual([[], [], []]);
    const [first, second] = await cars.host.select(`SELECT * FROM {user} WHERE s_phone_mobile <> '' LIMIT 2`);
    const put = (value: string): Promise<unknown> =>
      cars.host.write('UPDATE {user} SET s_phone_mobile = ? WHERE pk_i_id = ?', [value, first?.pk_i_id]);
    await put('lost');
    expect(await people.lost()).toEqual([expect.stringContaining('s_phone_mobile is lost, not')]);
    await put(String(first?.s_phone_mobile));
    expect(await doubledEffects(cars)).toEqual([`cars: s_phone_mobile ${first?.s_phone_mobile} 2 times`]);
    await cars.host.person.deleteAccount(Number(second?.pk_i_id));
    expect(await people.lost()).toHaveLength(2);
  });
});
