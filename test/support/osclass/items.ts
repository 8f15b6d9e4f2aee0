import { placeColumns, profileOf, type Profile } from './profile.ts';
import { makeRandom, makeSecret } from './random.ts';
import { removeItem } from './removal.ts';
import { findUser, insert, localTime, update, write, type Row, type Site, type UserRef } from './site.ts';
import { findItem, isVisible, lowerStatistics, raiseStatistics } from './statistics.ts';

/** A listing to publish. */
export interface NewItem {
  /** Category id; 2 (cars) unless given. */
  category?: number;
  title?: string;
  /** Place; the user's own unless given. */
  place?: Profile;
  /** Waits for its validation link: not visible, not counted. */
  inactive?: boolean;
  spam?: boolean;
  /** Local DATETIME; never unless given. */
  expiration?: string;
  images?: number;
  /** Who publishes, if not a user. */
  guest?: { name: string; email: string };
}

/**
 * Publishes a listing with description, place, images, statistics and a custom field; a user's name and e-mail are copied
 * into it. `user` null: a guest. Gives the item's id.
 */
export const postItem = async (site: Site, user: UserRef | null, item: NewItem = {}): Promise<number> => {
  const owner = user === null ? undefined : await findUser(site, user);
  const now = localTime(site);
  const id = await insert(site, 'item', {
    fk_i_user_id: owner?.pk_i_id ?? null,
    fk_i_category_id: item.category ?? 2,
    dt_pub_date: now,
    i_price: 1_000_000 * (1 + site.random.int(5000)),
    fk_c_currency_code: 'EUR',
    s_contact_name: owner?.s_name ?? item.guest?.name ?? null,
    s_contact_email: owner?.s_email ?? item.guest?.email ?? 'guest@example.com',
    s_ip: '127.0.0.1',
    b_active: item.inactive === true ? 0 : 1,
    b_spam: item.spam === true ? 1 : 0,
    s_secret: makeSecret(site.random),
    b_show_email: 0,
    ...(item.expiration !== undefined && { dt_expiration: item.expiration }),
  });
  const place: Row = await placeColumns(site, item.place ?? (owner === undefined ? {} : profileOf(owner)));
  await insert(site, 'item_description', {
    fk_i_item_id: id,
    fk_c_locale_code: site.locales[0] ?? 'en_US',
    s_title: item.title ?? `Item ${id}`,
    s_description: 'As good as new.',
  });
  await insert(site, 'item_location', { fk_i_item_id: id, ...place });
  for (let i = 0; i < (item.images ?? 1); i += 1) {
    await insert(site, 'item_resource', {
      fk_i_item_id: id,
      s_name: makeSecret(site.random),
      s_extension: 'jpg',
      s_content_type: 'image/jpeg',
      s_path: `oc-content/uploads/${Math.floor(id / 100)}/`,
    });
  }
  await insert(site, 'item_meta', { fk_i_item_id: id, fk_i_field_id: 1, s_value: 'used', s_multi: '' });
  await insert(site, 'item_stats', { fk_i_item_id: id, dt_date: now.slice(0, 10) });
  const stored = await findItem(site, id);
  if (stored !== undefined && isVisible(site, stored)) await raiseStatistics(site, stored);
  return id;
};

/** A comment on an item, published at once; `user` null: a guest. `i_comments` of the user counts it. Gives its id. */
export const comment = async (
  site: Site,
  user: UserRef | null,
  item: number,
  body = 'Is it still available?',
): Promise<number> => {
  const author = user === null ? undefined : await findUser(site, user);
  const id = await insert(site, 'item_comment', {
    fk_i_item_id: item,
    dt_pub_date: localTime(site),
    s_title: 'A question',
    s_author_name: author?.s_name ?? 'A guest',
    s_author_email: author?.s_email ?? 'guest@example.com',
    s_body: body,
    b_active: 1,
    b_enabled: 1,
    fk_i_user_id: author?.pk_i_id ?? null,
  });
  if (author !== undefined) {
    await write(site, 'UPDATE {user} SET i_comments = i_comments + 1 WHERE pk_i_id = ?', [author.pk_i_id]);
  }
  return id;
};

/** A saved search of a user, or of a guest known by e-mail (user id 0). Gives its id. */
export const saveAlert = async (
  site: Site,
  user: UserRef | { guestEmail: string },
  search = '{"sPattern":"bicycle"}',
): Promise<number> => {
  const owner = typeof user === 'object' ? undefined : await findUser(site, user);
  return insert(site, 'alerts', {
    s_email: owner?.s_email ?? (typeof user === 'object' ? user.guestEmail : null),
    fk_i_user_id: owner?.pk_i_id ?? 0,
    s_search: search,
    s_secret: makeSecret(site.random),
    b_active: 1,
    e_type: 'DAILY',
    dt_date: localTime(site),
  });
};

/** A moderator (or Osclass, blocking its user) shows or hides an item; statistics follow if it was or becomes visible. */
export const setItemEnabled = async (site: Site, id: number, enabled: boolean): Promise<void> => {
  const changed = await update(site, 'item', { b_enabled: enabled ? 1 : 0 }, 'pk_i_id', id);
  const item = await findItem(site, id);
  if (changed !== 1 || item === undefined || !isVisible(site, { ...item, b_enabled: 1 })) return;
  await (enabled ? raiseStatistics(site, item) : lowerStatistics(site, item));
};

/** The link that validates a listing: `b_active` 1, and it counts. */
export const activateItem = async (site: Site, id: number): Promise<void> => {
  const changed = await update(site, 'item', { b_active: 1 }, 'pk_i_id', id);
  const item = await findItem(site, id);
  if (changed === 1 && item !== undefined && isVisible(site, item)) await raiseStatistics(site, item);
};

/** Deletes an item with what belongs to it. Gives the paths of its image files. */
export const deleteItem = async (site: Site, id: number): Promise<string[]> => removeItem(site, id);

/** How many items, and of which users. */
export interface SeedItemsOptions {
  seed: number | string;
  /** Users to choose from, by id. */
  users: readonly number[];
  count: number;
}

/** Posts items of every kind (visible, waiting, spam, expired, hidden), with comments of other users. Gives their ids. */
export const seedItems = async (host: Site, { seed, users, count }: SeedItemsOptions): Promise<number[]> => {
  const random = makeRandom(`${seed}/items`);
  const site = { ...host, random };
  const ids: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const id = await postItem(site, random.pick(users), {
      category: random.pick([2, 3, 4, 6, 7]),
      inactive: random.chance(0.1),
      spam: random.chance(0.05),
      images: random.int(3),
      ...(random.chance(0.1) && { expiration: '2015-06-01 12:00:00' }),
    });
    if (random.chance(0.1)) await setItemEnabled(site, id, false);
    if (random.chance(0.3)) await comment(site, random.pick(users), id);
    ids.push(id);
  }
  return ids;
};
