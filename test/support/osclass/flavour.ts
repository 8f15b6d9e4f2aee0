/** The generations of Osclass that a site may run; what differs between their schemas is in {@link FLAVOURS}. */
export type Flavour = '3.7' | '5.2' | '8';

/** What one generation's schema does in its own way. Column facts are SQL fragments. */
export interface FlavourFacts {
  charset: string;
  collation: string;
  /** What the site says in SET NAMES. */
  names: string;
  /** Definition of `t_user.dt_access_date`. */
  accessDate: string;
  /** The value that definition gives a row which does not name it. */
  accessDateDefault: string | null;
  passIpLength: number;
  accessIpLength: number;
  coordinate: string;
  /** Has the columns that came with 4.1 – 8: native place names, login failures, picture, locale. */
  modern: boolean;
}

/** Facts by generation. */
export const FLAVOURS: Record<Flavour, FlavourFacts> = {
  '3.7': {
    charset: 'utf8',
    collation: 'utf8_general_ci',
    names: 'utf8',
    accessDate: "datetime NOT NULL DEFAULT '0000-00-00 00:00:00'",
    accessDateDefault: '0000-00-00 00:00:00',
    passIpLength: 15,
    accessIpLength: 15,
    coordinate: 'decimal(10,6)',
    modern: false,
  },
  '5.2': {
    charset: 'utf8',
    collation: 'utf8_general_ci',
    names: 'utf8',
    accessDate: "datetime NOT NULL DEFAULT '1000-01-01 00:00:00'",
    accessDateDefault: '1000-01-01 00:00:00',
    passIpLength: 50,
    accessIpLength: 50,
    coordinate: 'decimal(10,6)',
    modern: false,
  },
  '8': {
    charset: 'utf8mb4',
    collation: 'utf8mb4_unicode_ci',
    names: 'utf8mb4',
    accessDate: 'datetime NULL',
    accessDateDefault: null,
    passIpLength: 64,
    accessIpLength: 64,
    coordinate: 'decimal(20,10)',
    modern: true,
  },
};
