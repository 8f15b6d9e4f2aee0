/** A repeatable source of choices: the same seed gives the same sequence on every machine. */
export interface Random {
  /** A number in [0, 1). */
  next: () => number;
  /** A whole number in [0, below). */
  int: (below: number) => number;
  /** True with the given probability. */
  chance: (probability: number) => boolean;
  /** One member of a list that is not empty. */
  pick: <T>(list: readonly T[]) => T;
  /** `length` characters out of `alphabet`. */
  text: (alphabet: string, length: number) => string;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 32-bit FNV-1a, so that seeds may be words. */
const hashSeed = (seed: number | string): number => {
  let hash = 0x811c9dc5;
  for (const character of String(seed)) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
};

/** Starts a sequence (mulberry32). Different seeds give unrelated sequences; join words for seeds of parts: `7/users/12`. */
export const makeRandom = (seed: number | string): Random => {
  let state = hashSeed(seed);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new Error('nothing to pick from');
      return list[int(list.length)] as T;
    },
    text: (alphabet, length) => {
      let made = '';
      for (let i = 0; i < length; i += 1) made += alphabet[int(alphabet.length)] ?? '';
      return made;
    },
  };
};

/** A secret as Osclass makes them for links: letters and digits. */
export const makeSecret = (random: Random, length = 8): string => random.text(LETTERS, length);

/** 60 characters that look like a bcrypt hash. It verifies nothing: only its shape and that it is new matter here. */
export const makeBcrypt = (random: Random, cost = 15, kind = '2y'): string =>
  `$${kind}$${String(cost).padStart(2, '0')}$${random.text(`./${LETTERS}`, 53)}`;

/** 40 hex digits, the kind of hash that versions before 3.3 stored. */
export const makeSha1 = (random: Random): string => random.text('0123456789abcdef', 40);
