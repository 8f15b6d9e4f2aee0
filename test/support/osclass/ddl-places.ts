import type { FlavourFacts } from './flavour.ts';

/**
 * Locales, currencies and places, and how many visible items each place has. In order of their foreign keys.
 * `t` completes a table name with the prefix.
 */
export const placeTables = (t: (name: string) => string, { modern, coordinate }: FlavourFacts): [string, string][] => [
  [
    't_locale',
    `pk_c_code char(5) NOT NULL,
     s_name varchar(100) NOT NULL,
     s_short_name varchar(40) NOT NULL,
     s_description varchar(100) NOT NULL,
     s_version varchar(20) NOT NULL,
     ${modern ? '' : "s_direction varchar(3) NOT NULL DEFAULT 'ltr',"}
     s_author_name varchar(100) NOT NULL,
     s_author_url varchar(100) NOT NULL,
     s_currency_format varchar(50) NOT NULL,
     s_dec_point varchar(2) NULL DEFAULT '.',
     s_thousands_sep varchar(2) NULL DEFAULT '',
     i_num_dec tinyint NULL DEFAULT 2,
     s_date_format varchar(20) NOT NULL,
     s_stop_words text NULL,
     b_enabled tinyint(1) NOT NULL DEFAULT 1,
     b_enabled_bo tinyint(1) NOT NULL DEFAULT 1,
     ${modern ? 'b_locations_native tinyint(1) NULL DEFAULT 0, b_rtl tinyint(1) NULL DEFAULT 0,' : ''}
     PRIMARY KEY (pk_c_code),
     UNIQUE KEY s_short_name (s_short_name)`,
  ],
  [
    't_currency',
    `pk_c_code char(3) NOT NULL,
     s_name varchar(40) NOT NULL,
     s_description varchar(80) NULL,
     b_enabled tinyint(1) NOT NULL DEFAULT 1,
     PRIMARY KEY (pk_c_code),
     UNIQUE KEY s_name (s_name)`,
  ],
  [
    't_country',
    `pk_c_code char(2) NOT NULL,
     s_name varchar(80) NOT NULL,
     ${modern ? 's_name_native varchar(80) NULL, s_phone_code varchar(10) NULL, s_currency varchar(10) NULL,' : ''}
     s_slug varchar(80) NOT NULL DEFAULT '',
     PRIMARY KEY (pk_c_code),
     KEY idx_s_slug (s_slug),
     KEY idx_s_name (s_name)`,
  ],
  [
    't_region',
    `pk_i_id int unsigned NOT NULL AUTO_INCREMENT,
     fk_c_country_code char(2) NOT NULL,
     s_name varchar(60) NOT NULL,
     ${modern ? 's_name_native varchar(60) NULL,' : ''}
     s_slug varchar(60) NOT NULL DEFAULT '',
     b_active tinyint(1) NOT NULL DEFAULT 1,
     PRIMARY KEY (pk_i_id),
     KEY fk_c_country_code (fk_c_country_code),
     KEY idx_s_name (s_name),
     KEY idx_s_slug (s_slug),
     FOREIGN KEY (fk_c_country_code) REFERENCES ${t('t_country')} (pk_c_code)`,
  ],
  [
    't_city',
    `pk_i_id int unsigned NOT NULL AUTO_INCREMENT,
     fk_i_region_id int unsigned NOT NULL,
     s_name varchar(60) NOT NULL,
     ${modern ? 's_name_native varchar(60) NULL,' : ''}
     s_slug varchar(60) NOT NULL DEFAULT '',
     fk_c_country_code char(2) NULL,
     b_active tinyint(1) NOT NULL DEFAULT 1,
     ${modern ? `d_coord_lat ${coordinate} NULL, d_coord_long ${coordinate} NULL,` : ''}
     PRIMARY KEY (pk_i_id),
     KEY fk_i_region_id (fk_i_region_id),
     KEY idx_s_name (s_name),
     KEY idx_s_slug (s_slug),
     FOREIGN KEY (fk_i_region_id) REFERENCES ${t('t_region')} (pk_i_id),
     FOREIGN KEY (fk_c_country_code) REFERENCES ${t('t_country')} (pk_c_code)`,
  ],
  [
    't_city_area',
    `pk_i_id int unsigned NOT NULL,
     fk_i_city_id int unsigned NOT NULL,
     s_name varchar(255) NOT NULL,
     PRIMARY KEY (pk_i_id),
     KEY fk_i_city_id (fk_i_city_id),
     KEY idx_s_name (s_name${modern ? '(191)' : ''}),
     FOREIGN KEY (fk_i_city_id) REFERENCES ${t('t_city')} (pk_i_id)`,
  ],
  ...(
    [
      ['t_country_stats', 'fk_c_country_code char(2)', 't_country (pk_c_code)'],
      ['t_region_stats', 'fk_i_region_id int unsigned', 't_region (pk_i_id)'],
      ['t_city_stats', 'fk_i_city_id int unsigned', 't_city (pk_i_id)'],
    ] as const
  ).map(([name, key, target]): [string, string] => {
    const column = key.slice(0, key.indexOf(' '));
    return [
      name,
      `${key} NOT NULL,
       i_num_items int unsigned NOT NULL DEFAULT 0,
       PRIMARY KEY (${column}),
       KEY idx_num_items (i_num_items),
       FOREIGN KEY (${column}) REFERENCES ${t(target)}`,
    ];
  }),
];
