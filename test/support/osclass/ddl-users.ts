import type { FlavourFacts } from './flavour.ts';

/** The address columns and their foreign keys, which users and items share. */
export const addressColumns = ({ modern, coordinate }: FlavourFacts): string =>
  `fk_c_country_code char(2) NULL,
   s_country varchar(40) NULL,
   ${modern ? 's_country_native varchar(80) NULL,' : ''}
   s_address varchar(100) NULL,
   s_zip varchar(15) NULL,
   fk_i_region_id int unsigned NULL,
   s_region varchar(100) NULL,
   ${modern ? 's_region_native varchar(60) NULL,' : ''}
   fk_i_city_id int unsigned NULL,
   s_city varchar(100) NULL,
   ${modern ? 's_city_native varchar(60) NULL,' : ''}
   fk_i_city_area_id int unsigned NULL,
   s_city_area varchar(200) NULL,
   d_coord_lat ${coordinate} NULL,
   d_coord_long ${coordinate} NULL`;

/** Foreign keys of {@link addressColumns}. */
export const addressKeys = (t: (name: string) => string): string =>
  `FOREIGN KEY (fk_c_country_code) REFERENCES ${t('t_country')} (pk_c_code),
   FOREIGN KEY (fk_i_region_id) REFERENCES ${t('t_region')} (pk_i_id),
   FOREIGN KEY (fk_i_city_id) REFERENCES ${t('t_city')} (pk_i_id),
   FOREIGN KEY (fk_i_city_area_id) REFERENCES ${t('t_city_area')} (pk_i_id)`;

/** Users, their descriptions, address changes under way and saved searches. */
export const userTables = (t: (name: string) => string, facts: FlavourFacts): [string, string][] => [
  [
    't_user',
    `pk_i_id int unsigned NOT NULL AUTO_INCREMENT,
     dt_reg_date datetime NOT NULL,
     dt_mod_date datetime NULL,
     s_name varchar(100) NOT NULL,
     s_username varchar(100) NOT NULL,
     s_password char(60) NOT NULL,
     s_secret varchar(40) NULL,
     s_email varchar(100) NOT NULL,
     s_website varchar(100) NULL,
     s_phone_land varchar(45) NULL,
     s_phone_mobile varchar(45) NULL,
     b_enabled tinyint(1) NOT NULL DEFAULT 1,
     b_active tinyint(1) NOT NULL DEFAULT 0,
     s_pass_code varchar(100) NULL,
     s_pass_date datetime NULL,
     s_pass_ip varchar(${facts.passIpLength}) NULL,
     ${addressColumns(facts)},
     b_company tinyint(1) NOT NULL DEFAULT 0,
     i_items int unsigned NULL DEFAULT 0,
     i_comments int unsigned NULL DEFAULT 0,
     dt_access_date ${facts.accessDate},
     s_access_ip varchar(${facts.accessIpLength}) NOT NULL DEFAULT '',
     ${
       facts.modern
         ? `i_login_fails int NULL DEFAULT 0, dt_login_fail_date datetime NULL,
            s_profile_img varchar(100) NULL, fk_c_locale_code char(5) NULL,`
         : ''
     }
     PRIMARY KEY (pk_i_id),
     UNIQUE KEY s_email (s_email),
     KEY idx_s_name (s_name(6)),
     KEY idx_s_username (s_username),
     ${addressKeys(t)}`,
  ],
  [
    't_user_description',
    `fk_i_user_id int unsigned NOT NULL,
     fk_c_locale_code char(5) NOT NULL,
     s_info text NULL,
     PRIMARY KEY (fk_i_user_id, fk_c_locale_code),
     FOREIGN KEY (fk_i_user_id) REFERENCES ${t('t_user')} (pk_i_id),
     FOREIGN KEY (fk_c_locale_code) REFERENCES ${t('t_locale')} (pk_c_code)`,
  ],
  [
    't_user_email_tmp',
    `fk_i_user_id int unsigned NOT NULL,
     s_new_email varchar(100) NOT NULL,
     dt_date datetime NOT NULL,
     PRIMARY KEY (fk_i_user_id),
     FOREIGN KEY (fk_i_user_id) REFERENCES ${t('t_user')} (pk_i_id)`,
  ],
  [
    't_alerts',
    `pk_i_id int unsigned NOT NULL AUTO_INCREMENT,
     s_email varchar(100) NULL,
     fk_i_user_id int unsigned NULL,
     s_search longtext NULL,
     s_secret varchar(40) NULL,
     b_active tinyint(1) NOT NULL DEFAULT 0,
     e_type enum('INSTANT','HOURLY','DAILY','WEEKLY','CUSTOM') NOT NULL,
     dt_date datetime NULL,
     dt_unsub_date datetime NULL,
     PRIMARY KEY (pk_i_id)`,
  ],
];

/** A plugin's table with one row per user, as `related_tables` may name it. */
export const businessProfileTable = (t: (name: string) => string): [string, string] => [
  't_user_business_profile',
  `fk_i_user_id int unsigned NOT NULL,
   s_name varchar(200) NULL,
   s_tax_number varchar(40) NULL,
   s_opening_hours text NULL,
   i_employees int NULL,
   d_rating decimal(5,2) NULL,
   dt_founded date NULL,
   PRIMARY KEY (fk_i_user_id),
   FOREIGN KEY (fk_i_user_id) REFERENCES ${t('t_user')} (pk_i_id)`,
];
