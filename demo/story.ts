/** What happens on the sites on the demo's day: every kind of thing that Osclass's users and administrators do. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Host } from '../test/support/osclass/host.ts';
import type { Person } from '../test/support/osclass/people.ts';
import type { Change } from './change.ts';

/** Changes that belong together, in order: later ones build on earlier ones. */
export interface Chapter {
  readonly title: string;
  readonly changes: readonly Change[];
}

const MARTA = 'marta@example.com';
/** Marta's address after she changed it. */
const MARTA_NEW = 'marta.ruiz@example.org';
const PAUL = 'paul@example.net';
const IMPORTED = 25;
const emailOfImported = (n: number): string => `member${n}@example.org`;

/** All chapters. `everywhere`: two people or more who have been on all sites from the beginning. */
export function makeStory(everywhere: readonly Person[]): Chapter[] {
  const [ivan, olga] = everywhere.map((person) => person.email);
  if (ivan === undefined || olga === undefined) throw new Error('the story needs two people who are on all sites');
  return [
    { title: 'A new user', changes: aNewUser },
    { title: 'An administrator and another user', changes: administration },
    { title: 'Not by the forms of Osclass', changes: behindTheScenes(ivan, olga) },
    { title: 'What has to stay where it is', changes: whatStays(ivan) },
    { title: 'Leaving, and coming back', changes: leaving },
  ];
}

const aNewUser: readonly Change[] = [
  {
    on: 'cars',
    user: MARTA,
    what: 'Marta registers (not yet active)',
    act: ({ cars }) => cars.person.register({ email: MARTA, name: 'Marta', country: 'ES' }),
  },
  {
    on: 'cars',
    user: MARTA,
    what: 'Marta clicks the link in her welcome mail',
    act: ({ cars }) => cars.person.clickValidationLink(MARTA),
  },
  {
    on: 'homes',
    user: MARTA,
    what: 'Marta edits her profile: name, phone, website',
    act: ({ homes }) =>
      homes.person.editProfile(MARTA, {
        name: 'Marta Ruiz Núñez',
        phoneMobile: '+34 600 123 456',
        website: 'https://marta.example.com/',
      }),
  },
  {
    on: 'jobs',
    user: MARTA,
    what: 'Marta moves to Sevilla (other ids on each site)',
    act: ({ jobs }) =>
      jobs.person.editProfile(MARTA, {
        country: 'ES',
        region: 'Andalucía',
        city: 'Sevilla',
        address: 'Calle Betis 12',
        zip: '41010',
        latitude: '37.385400',
        longitude: '-6.003700',
      }),
  },
  {
    on: 'homes',
    user: MARTA,
    what: 'Marta describes herself in English and Spanish',
    act: ({ homes }) =>
      homes.person.editProfile(MARTA, {
        info: { en_US: 'I restore old furniture.', es_ES: 'Restauro muebles antiguos: ¡pregúntame!' },
      }),
  },
  {
    on: 'cars',
    user: MARTA,
    what: 'Marta changes her password',
    act: ({ cars }) => cars.person.changePassword(MARTA),
  },
  {
    on: 'jobs',
    user: MARTA,
    what: 'Marta forgets it and sets another by mail',
    act: async ({ jobs }) => jobs.person.resetPassword(MARTA, await jobs.person.requestPasswordReset(MARTA)),
  },
  {
    on: 'homes',
    user: MARTA,
    what: 'Marta logs in; the site hashes her password again',
    act: ({ homes }) => homes.person.loginRehash(MARTA),
  },
  {
    on: 'jobs',
    user: MARTA,
    what: 'Marta chooses a user name',
    act: ({ jobs }) => jobs.person.changeUserName(MARTA, 'marta.ruiz'),
  },
  {
    on: 'cars',
    user: MARTA_NEW,
    was: MARTA,
    what: 'Marta changes her e-mail and clicks the link',
    act: ({ cars }) => cars.person.changeEmail(MARTA, MARTA_NEW),
  },
];

const administration: readonly Change[] = [
  {
    on: 'homes',
    user: PAUL,
    what: 'An administrator adds Paul',
    act: ({ homes }) => homes.admin.createUser({ email: PAUL, name: 'Paul', country: 'DE', info: { en_US: 'Agent' } }),
  },
  {
    on: 'cars',
    user: PAUL,
    what: "An administrator edits Paul's name, city, password",
    act: ({ cars }) =>
      cars.admin.editUser(PAUL, { name: 'Paul Weiß', region: 'Bayern', city: 'München', newPassword: true }),
  },
  {
    on: 'jobs',
    user: PAUL,
    what: 'An administrator deactivates Paul',
    act: ({ jobs }) => jobs.admin.deactivate(PAUL),
  },
  {
    on: 'homes',
    user: PAUL,
    what: 'An administrator activates Paul',
    act: ({ homes }) => homes.admin.activate(PAUL),
  },
  {
    on: 'cars',
    user: PAUL,
    what: 'An administrator blocks Paul',
    act: ({ cars }) => cars.admin.block(PAUL),
  },
  {
    on: 'jobs',
    user: PAUL,
    what: 'An administrator unblocks Paul',
    act: ({ jobs }) => jobs.admin.unblock(PAUL),
  },
];

const behindTheScenes = (ivan: string, olga: string): readonly Change[] => [
  {
    on: 'homes',
    user: PAUL,
    what: 'A plugin makes Paul a company, by SQL',
    act: ({ homes }) => homes.write('UPDATE {user} SET b_company = 1 WHERE s_email = ?', [PAUL]),
  },
  {
    on: 'cars',
    user: emailOfImported(IMPORTED),
    what: `An import adds ${IMPORTED} users in one transaction`,
    act: ({ cars }) =>
      inTransaction(cars, 'commit', async () => {
        for (let n = 1; n <= IMPORTED; n++) {
          await cars.admin.createUser({ email: emailOfImported(n), name: `Member ${n}` });
        }
      }),
    also: async (elsewhere) => {
      const [row] = await elsewhere.select("SELECT COUNT(*) AS n FROM {user} WHERE s_email LIKE 'member%@example.org'");
      return Number(row?.n) === IMPORTED;
    },
  },
  {
    on: 'jobs',
    user: ivan,
    what: 'A user with a listing on cars takes another name',
    act: async ({ cars, jobs }) => {
      await cars.items.post(ivan, { title: 'A van, hardly used' });
      await jobs.person.editProfile(ivan, { name: 'Ivan Renamed' });
    },
    also: async (elsewhere) => {
      const items = await elsewhere.select('SELECT s_contact_name AS name FROM {item} WHERE s_contact_email = ?', [
        ivan,
      ]);
      return items.every(({ name }) => name === 'Ivan Renamed');
    },
  },
  {
    on: 'homes',
    user: olga,
    what: 'One phone number changed on two sites: the later wins',
    act: async ({ cars, homes }) => {
      await cars.person.editProfile(olga, { phoneMobile: '+49 111' });
      await wait(20);
      await homes.person.editProfile(olga, { phoneMobile: '+49 222' });
    },
  },
];

const whatStays = (ivan: string): readonly Change[] => [
  {
    on: 'jobs',
    user: ivan,
    stays: true,
    what: 'A transaction that is rolled back',
    act: ({ jobs }) => inTransaction(jobs, 'rollback', () => jobs.admin.editUser(ivan, { name: 'Nobody' })),
  },
  {
    on: 'cars',
    user: ivan,
    stays: true,
    what: 'A page view, a login with "remember me"',
    act: async ({ cars }) => {
      await cars.person.viewPage(ivan, '192.0.2.77');
      await cars.person.loginRemembered(ivan);
    },
  },
];

const leaving: readonly Change[] = [
  {
    on: 'jobs',
    user: MARTA_NEW,
    what: 'Marta deletes her account; her listing on homes goes too',
    act: async ({ homes, jobs }) => {
      await homes.items.post(MARTA_NEW, { title: 'A chest of drawers', category: 6 });
      await jobs.person.deleteAccount(MARTA_NEW);
    },
    also: async (elsewhere) =>
      (await elsewhere.select('SELECT 1 FROM {item} WHERE s_contact_email = ?', [MARTA_NEW])).length === 0,
  },
  {
    on: 'cars',
    user: MARTA_NEW,
    what: 'Marta registers again, under the same address',
    act: ({ cars }) => cars.person.register({ email: MARTA_NEW, name: 'Marta Ruiz' }),
  },
  {
    on: 'cars',
    user: MARTA_NEW,
    what: 'Marta clicks the link in her second welcome mail',
    act: ({ cars }) => cars.person.clickValidationLink(MARTA_NEW),
  },
  {
    on: 'homes',
    user: PAUL,
    what: 'An administrator deletes Paul',
    act: ({ homes }) => homes.admin.deleteUser(PAUL),
  },
];

/** As a plugin does it; Osclass itself knows no transactions. */
async function inTransaction(host: Host, end: 'commit' | 'rollback', act: () => Promise<unknown>): Promise<void> {
  await host.db.beginTransaction();
  try {
    await act();
  } catch (error) {
    await host.db.rollback();
    throw error;
  }
  await host.db[end]();
}
