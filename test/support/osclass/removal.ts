import { findItem, isVisible, lowerStatistics } from './statistics.ts';
import { select, write, type Site } from './site.ts';

const ITEM_TABLES = ['item_description', 'item_comment', 'item_resource', 'item_location', 'item_stats', 'item_meta'];

/**
 * Osclass deletes one item: statistics lowered if it was visible, then what belongs to it, then the row.
 * Gives the paths of its image files, which Osclass deletes from the disk.
 */
export const removeItem = async (site: Site, id: number): Promise<string[]> => {
  const item = await findItem(site, id);
  if (item === undefined) return [];
  if (isVisible(site, item)) await lowerStatistics(site, item);
  const images = await select(
    site,
    "SELECT CONCAT(s_path, pk_i_id, '.', s_extension) AS file FROM {item_resource} WHERE fk_i_item_id = ?",
    [id],
  );
  for (const table of ITEM_TABLES) await write(site, `DELETE FROM {${table}} WHERE fk_i_item_id = ?`, [id]);
  await write(site, 'DELETE FROM {item} WHERE pk_i_id = ?', [id]);
  return images.map((row) => String(row.file));
};

/** Osclass deletes a user: each item, comments, the change of e-mail under way, descriptions, alerts, the row. */
export const removeUser = async (site: Site, id: number): Promise<string[]> => {
  const images: string[] = [];
  for (const item of await select(site, 'SELECT pk_i_id FROM {item} WHERE fk_i_user_id = ?', [id])) {
    images.push(...(await removeItem(site, Number(item.pk_i_id))));
  }
  for (const table of ['item_comment', 'user_email_tmp', 'user_description', 'alerts']) {
    await write(site, `DELETE FROM {${table}} WHERE fk_i_user_id = ?`, [id]);
  }
  await write(site, 'DELETE FROM {user} WHERE pk_i_id = ?', [id]);
  return images;
};
