/**
 * Texts as Osclass's own forms store them. Osclass shows most of what is in its tables without encoding it, because its forms
 * let no markup in (Params::getParam purifies, UserActions::prepareData sanitizes); what comes from a peer has passed no form.
 * Less is done than there: entities and everything else that does no harm stay as they are. Done twice it changes nothing. Pure.
 */
import { decodeHTML } from 'entities';
import { withoutMarkup } from '../model/markup.ts';
import { localeOf, type RegisterName, type Value, type Values } from '../model/register.ts';

const TEXTS: ReadonlySet<string> = new Set([
  's_name',
  's_username',
  's_phone_land',
  's_phone_mobile',
  's_country',
  's_region',
  's_city',
  's_city_area',
  's_address',
  's_zip',
  's_country_native',
  's_region_native',
  's_city_native',
  's_info',
]);

/** A value of a column of `t_user`, or of `s_info` of a description, as a form would store it. */
export function asForm(column: string, text: string): string {
  if (TEXTS.has(column)) return formText(text);
  return column === 's_website' ? formWebsite(text) : text;
}

/** The values of a register, as forms would store them; the same object if these are no others. */
export function valuesAsForms(register: RegisterName, values: Values): Values {
  const isDescription = localeOf(register) !== undefined;
  const cleaned = Object.entries(values).map(([column, value]): [string, Value] => [
    column,
    typeof value === 'string' && (isDescription || column !== 's_info') ? asForm(column, value) : value,
  ]);
  return cleaned.some(([column, value]) => value !== values[column]) ? Object.fromEntries(cleaned) : values;
}

/** Without tags, scripts and comments; `<` and `>` that are left are written as entities. */
function formText(text: string): string {
  if (!/[<>]/.test(text)) return text;
  return withoutMarkup(text).replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * Without what ends an attribute. An address of another kind than a web page (`javascript:`, `data:`) is none, however it is
 * written: browsers decode entities in it, and overlook control characters and blanks.
 */
function formWebsite(text: string): string {
  // eslint-disable-next-line no-control-regex -- those are what browsers overlook
  const read = decodeHTML(text).replaceAll(/[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff]+/g, '');
  const beforePath = read.split(/[/?#\\]/, 1)[0] ?? '';
  const colon = beforePath.indexOf(':');
  const isWeb = /^https?:/i.test(read) || colon === -1 || /^\d{1,5}$/.test(beforePath.slice(colon + 1));
  return isWeb ? text.replaceAll(/["'<>]/g, '') : '';
}
