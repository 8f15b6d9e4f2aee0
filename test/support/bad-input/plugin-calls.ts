/** Calls in the plugin's protocol that must do nothing at all. */
import { KEY_A } from '../captures.ts';

/** A row that would be taken. */
export const ROW = 'ascData%5Bpk_i_id%5D=7&ascData%5Bs_email%5D=eve%40example.com';

/** What is to be said of it, and a key that equals the right one only loosely. */
export const LOOSE_KEYS: readonly (readonly [string, string])[] = [
  ['another case', KEY_A.toLowerCase()],
  ['a blank behind', `${KEY_A} `],
  ['a blank in front', ` ${KEY_A}`],
  ['a line end behind', `${KEY_A}\n`],
  ['a zero byte behind', `${KEY_A}\0`],
  ['only the beginning', KEY_A.slice(0, -1)],
  ['an accent more', KEY_A.replace('A', 'Á')],
  ['0', '0'],
  ['a number of another form', '0e1'],
  ['true', 'true'],
  ['a wild card', '%'],
];

/** What is to be said of it, and fields that follow a right key. */
export const WRONG_FORMS: readonly (readonly [string, string])[] = [
  ['a row that is text', `ascAction=userStreamPost&ascData=eve%40example.com`],
  ['no row', `ascAction=userStreamPost`],
  ['a removal that is a map', `ascAction=userStreamPostRemoval&ascData%5Bs_email%5D=ana%40example.com`],
  ['a removal that is a list', `ascAction=userStreamPostRemoval&ascData%5B%5D=ana%40example.com`],
  ['a column that is a map', `ascAction=userStreamPost&${ROW}&ascData%5Bs_name%5D%5Bx%5D=Eve`],
  ['an id that is no number', `ascAction=userStreamPost&ascData%5Bpk_i_id%5D=7+OR+1&ascData%5Bs_email%5D=e%40x.com`],
  ['descriptions that are text', `ascAction=userStreamPost&${ROW}&ascData%5Buser_description%5D=x`],
  [
    'a description without language',
    `ascAction=userStreamPost&${ROW}&ascData%5Buser_description%5D%5B0%5D%5Bs_info%5D=x`,
  ],
  ['a cursor that is no number', 'ascAction=userFeedRequest&ascLastUserId=0+OR+1%3D1'],
  ['a cursor below zero', 'ascAction=userFeedRequest&ascLastUserId=-1'],
  ['a cursor with an exponent', 'ascAction=userFeedRequest&ascLastUserId=1e3'],
  ['a cursor that is a list', 'ascAction=userFeedRequest&ascLastUserId%5B%5D=0'],
  ['no cursor', 'ascAction=userFeedRequest'],
  ['an action of another case', `ascAction=userstreampost&${ROW}`],
  ['an action that is a list', `ascAction%5B%5D=userStreamPost&${ROW}`],
  ['a field given twice', `ascAction=userStreamPostRemoval&ascAction=userStreamPostRemoval&ascData=ana%40example.com`],
  ['a column given twice, once encoded', `ascAction=userStreamPost&${ROW}&ascData[s_email]=ana%40example.com`],
  ['text and a map of one name', `ascAction=userStreamPost&ascData=x&${ROW}`],
  ['deep nesting', `ascAction=userStreamPost&${ROW}&ascData${'%5Bx%5D'.repeat(50)}=1`],
  [
    'many fields',
    `ascAction=userStreamPost&${ROW}&${Array.from({ length: 5000 }, (_, n) => `ascData%5Bc${n}%5D=1`).join('&')}`,
  ],
  ['a name without end', `ascAction=userStreamPost&${ROW}&ascData%5B${'x'.repeat(5000)}%5D=1`],
  ['bytes that are no UTF-8', `ascAction=userStreamPost&${ROW}&ascData%5Bs_name%5D=%FF`],
  ['a broken encoding', `ascAction=userStreamPost&${ROW}&ascData%5Bs_name%5D=%4`],
];
