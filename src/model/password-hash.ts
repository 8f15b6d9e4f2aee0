/**
 * What may stand in `s_password`. Osclass gives it to PHP's password_verify, and compares it with the sha1 of the password
 * (osc_verify_password): so the kinds are those that PHP's crypt and its argon2 know, and sha1 in lower case, of versions
 * before 3.3. How long a login takes is written in the hash, so whoever writes one could stop a worker of PHP: bcrypt of cost
 * 31 computes for a day. Pure.
 */

/** What an account gets for which nobody sent a password: no kind of hash, so none verifies against it; a reset replaces it. */
export const NO_PASSWORD = '!no-password-was-sent';

/** Osclass writes 15; each step doubles the time. 16: about four seconds. */
const BCRYPT_COST = { least: 4, most: 16 };
/** PHP writes m=65536,t=4,p=1. In KiB, passes, threads. */
const ARGON2 = { mostMemory: 262_144, mostTime: 10, mostThreads: 16 };
/** PHP's crypt writes 5,000 unless told otherwise, and takes up to 999,999,999. */
const CRYPT_ROUNDS = { least: 1000, most: 100_000 };

/** No kind has more. */
const LONGEST = 255;

/** True for a complete hash of a kind that Osclass can check, in a time that its server can bear. A masked one is none. */
export function isWholeHash(text: string): boolean {
  if (text.length > LONGEST) return false;
  return isBcrypt(text) || isSha1(text) || isArgon2(text) || isCrypt(text);
}

function isBcrypt(text: string): boolean {
  const cost = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1];
  return isWithin(cost, BCRYPT_COST.least, BCRYPT_COST.most);
}

function isSha1(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** `$argon2id$v=19$m=65536,t=4,p=1$SALT$HASH` */
function isArgon2(text: string): boolean {
  const [, memory, time, threads] =
    /^\$argon2(?:i|id)\$v=\d{1,3}\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$[+/A-Za-z0-9]{8,}\$[+/A-Za-z0-9]{16,}$/.exec(
      text,
    ) ?? [];
  return (
    isWithin(memory, 8, ARGON2.mostMemory) &&
    isWithin(time, 1, ARGON2.mostTime) &&
    isWithin(threads, 1, ARGON2.mostThreads)
  );
}

/** `$1$SALT$HASH` of MD5, `$5$rounds=5000$SALT$HASH` of SHA-256, `$6$…` of SHA-512: of imports, where a plugin widened the column. */
function isCrypt(text: string): boolean {
  if (/^\$1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}$/.test(text)) return true;
  const [, rounds = String(CRYPT_ROUNDS.least)] =
    /^\$(?:5|6)\$(?:rounds=(\d{1,9})\$)?[./A-Za-z0-9]{1,16}\$(?:[./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})$/.exec(text) ?? [
      '',
      '0',
    ];
  return isWithin(rounds, CRYPT_ROUNDS.least, CRYPT_ROUNDS.most);
}

function isWithin(digits: string | undefined, least: number, most: number): boolean {
  const number = Number(digits);
  return number >= least && number <= most;
}
