import { makeRandom } from './random.ts';

/** Someone who may have an account on several sites. */
export interface Person {
  email: string;
  name: string;
}

const GIVEN = (
  'Ana María José Jürgen Zoë Łukasz Søren Chloé Björn Iñaki Noor Mehmet Élodie Ångela João Růžena Siân Dženana Ivan Olga ' +
  'Νίκος Ελένη Дмитрий Анна 芳 太郎 فاطمة Michael Peter Laura Sofia Thomas Emma Paul Marta Luis Carmen Hans Ingrid Anne-Marie'
).split(' ');
const FAMILY = (
  "García Müller Núñez Weiß Ødegård O'Brien Lefèvre Kowalski Dvořák Peña Yılmaz Håkansson D'Angelo Schröder López Smith " +
  'Παπαδόπουλος Иванов 王 鈴木 حسن Silva Martín Fernández Schmidt Becker Rossi Dubois Jansen Novák Çelik Björk MacDonald'
).split(' ');

const ascii = (name: string): string =>
  name
    .normalize('NFD')
    .replaceAll(/[^A-Za-z]/g, '')
    .toLowerCase() || 'user';

/**
 * The `index`-th person of a seed. E-mails never collide under any of the host's collations (each has its number) and
 * some have capitals; names come in several scripts, all within 3-byte UTF-8.
 */
const makePerson = (seed: number | string, index: number): Person => {
  const random = makeRandom(`${seed}/person/${index}`);
  const given = random.pick(GIVEN);
  const family = random.pick(FAMILY);
  const local = `${ascii(given)}${random.pick(['.', '_', '-', ''])}${ascii(family)}${index}`;
  const domain = random.pick(['example.com', 'example.org', 'mail.example.net']);
  const email = random.chance(0.05)
    ? `${local.charAt(0).toUpperCase()}${local.slice(1)}@Example.COM`
    : `${local}@${domain}`;
  return { email, name: random.chance(0.04) ? given : `${given} ${family}` };
};

/** `count` persons, the same for the same seed; slices of one pool give several sites people in common. */
export const personPool = (seed: number | string, count: number): Person[] =>
  Array.from({ length: count }, (_, index) => makePerson(seed, index));
