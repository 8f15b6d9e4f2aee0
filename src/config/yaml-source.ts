/** YAML text → a tree whose nodes know their place, or what is wrong with the text. */
import { type Document, LineCounter, type Node, parseDocument, type YAMLError } from 'yaml';

/** Where something begins, both from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** A parsed file. */
export interface YamlSource {
  readonly document: Document;
  /** Where a node begins. */
  readonly placeOf: (node: Node) => SourcePosition;
  /** Errors of syntax; if there are any, the tree is not to be trusted. */
  readonly errors: readonly { readonly place: SourcePosition; readonly message: string }[];
}

/**
 * Never throws. Only the core schema is understood, whatever a `%YAML` directive or tag in the text says, so that a
 * value means the same to everyone who reads the file.
 */
export function parseYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\ufeff/, ''), {
    lineCounter: lines,
    prettyErrors: false, // they quote the line, and a line may hold a secret
    uniqueKeys: false, // the reader reports them, with their path
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
  });
  const at = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  return {
    document,
    placeOf: (node) => at(node.range?.[0] ?? 0),
    errors: firstPerLine([...document.errors, ...document.warnings], at),
  };
}

/** One mistake often makes the parser stumble again, in that line and those after it; only the first fall is told. */
function firstPerLine(errors: readonly YAMLError[], at: (offset: number) => SourcePosition): YamlSource['errors'] {
  const found = new Map<number, { place: SourcePosition; message: string }>();
  let fallen = Number.NEGATIVE_INFINITY;
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const place = at(error.pos[0]);
    const stumbles = error.code === 'UNEXPECTED_TOKEN' && place.line <= fallen + 1;
    if (error.code === 'UNEXPECTED_TOKEN') fallen = place.line;
    if (!stumbles && !found.has(place.line))
      found.set(place.line, { place, message: `not valid YAML: ${MEANING[error.code]}` });
  }
  return [...found.values()];
}

/** The parser's own messages quote the text, which may be a secret, so each code has words of its own here. */
const MEANING: Readonly<Record<YAMLError['code'], string>> = {
  ALIAS_PROPS: 'an alias (*name) takes no tag and no anchor',
  BAD_ALIAS: 'an alias (*name) needs a name; put text that starts with * in quotes',
  BAD_COLLECTION_TYPE: 'the tag does not fit what follows it',
  BAD_DIRECTIVE: 'unknown directive after %',
  BAD_DQ_ESCAPE: 'unknown escape after \\ in double quotes; single quotes take text as it is',
  BAD_INDENT: 'the indentation does not fit the lines above, or a bracket is not closed',
  BAD_PROP_ORDER: 'anchors and tags stand before what they belong to',
  BAD_SCALAR_START: 'text that starts with this character must be in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " in one line, or a wrong indentation; put text that holds ": " in quotes',
  BLOCK_IN_FLOW: 'indented lists and mappings cannot stand between brackets',
  DUPLICATE_KEY: 'duplicate key',
  IMPOSSIBLE: 'cannot be understood',
  KEY_OVER_1024_CHARS: 'the key is too long',
  MISSING_CHAR: 'a colon, comma, quote or bracket is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is a colon missing?',
  MULTIPLE_ANCHORS: 'more than one anchor',
  MULTIPLE_DOCS: 'more than one document; take away what follows "---" or "..."',
  MULTIPLE_TAGS: 'more than one tag',
  NON_STRING_KEY: 'a key must be a name',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'tabs cannot indent; use blanks',
  TAG_RESOLVE_FAILED: 'unknown tag; put text that starts with ! in quotes',
  UNEXPECTED_TOKEN:
    'this does not belong here; put text that holds special characters, such as ${…} between brackets, in quotes',
};
