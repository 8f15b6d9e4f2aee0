/** Characters of a text, as a column counts them: a surrogate pair is one. Counted without a copy of the text. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
