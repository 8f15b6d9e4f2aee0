/** Which place a name means. */

/** A country, region, city or area of this site. */
export interface Place {
  readonly id: string;
  /** Id of the place it lies in; empty for countries. */
  readonly parent: string;
  readonly name: string;
  /** Name and native name, folded by {@link foldName}; empty where there is none. */
  readonly folded: readonly [name: string, native: string];
  readonly slug: string;
}

/** What a peer calls it: at least one name, the usual one first. */
export interface WantedPlace {
  readonly parent: string;
  readonly names: readonly string[];
}

/**
 * The place that is meant: one whose name is the same, else the same without regard to case, else one whose native name
 * or, at last, slug is. The first of several, as the site lists them.
 */
export function findPlace(wanted: WantedPlace, places: readonly Place[]): Place | undefined {
  // Country codes as parents: their foreign keys may spell them in another case.
  const parent = wanted.parent.toLowerCase();
  const near = places.filter((place) => place.parent.toLowerCase() === parent);
  const folded = wanted.names.map(foldName);
  const slugs = wanted.names.map(slugOf).filter((slug) => slug !== '');
  return (
    near.find((place) => wanted.names.includes(place.name)) ??
    near.find((place) => folded.includes(place.folded[0])) ??
    near.find((place) => folded.includes(place.folded[1])) ??
    near.find((place) => slugs.includes(place.slug.toLowerCase()))
  );
}

/** One form for names that differ only in case, blanks around them, or in how accents are encoded. */
export function foldName(name: string): string {
  return name.trim().normalize('NFC').toLowerCase();
}

/** The slug Osclass makes of a name: no accents, lower case, a hyphen for whatever is neither letter nor digit. */
export function slugOf(name: string): string {
  return name
    .trim()
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '');
}
