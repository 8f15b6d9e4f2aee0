/**
 * The constants that a PHP file defines, found in its syntax tree: nothing is run. Of a definition that stands under a
 * condition only PHP knows whether it counts.
 */
import { Engine } from 'php-parser';

/** One definition. */
export interface Definition {
  readonly name: string;
  /** Null: it is no literal. */
  readonly value: string | null;
  readonly line: number;
  /** Where it stands; null: it is made whatever happens, unless the name is defined already. */
  readonly block: Block | null;
}

/** Statements that are run under one condition. */
interface Block {
  readonly parent: Block | null;
}

/** A set of values that some block defines. */
interface Alternative {
  readonly line: number;
  readonly values: ReadonlyMap<string, string | null>;
}

/** A node of the syntax tree, as far as it is looked at here. */
interface Node {
  readonly kind?: string;
  readonly name?: unknown;
  readonly value?: unknown;
  readonly what?: Node;
  readonly arguments?: readonly Node[];
  readonly constants?: readonly Node[];
  readonly type?: unknown;
  readonly left?: Node;
  readonly right?: Node;
  readonly test?: Node;
  readonly body?: Node;
  readonly alternate?: Node;
  readonly loc?: { readonly start: { readonly line: number } };
}

/** What stands in these is done at some other time, or never. */
const ELSEWHERE = new Set(['function', 'closure', 'arrowfunc', 'class', 'interface', 'trait']);
/** What stands in these is done once, several times or never. */
const PERHAPS = new Set(['case', 'while', 'for', 'foreach', 'do', 'try', 'catch', 'match', 'matcharm', 'retif']);
const OTHERWISE = new Set(['||', 'or', '??']);
const ALSO = new Set(['&&', 'and']);

/** All definitions in their order, and the lines at which other files are taken in. Of a broken file, what could be read. */
export function definitionsIn(text: string): { definitions: readonly Definition[]; includes: readonly number[] } {
  const parser = new Engine({ parser: { extractDoc: false, suppressErrors: true }, ast: { withPositions: true } });
  const definitions: Definition[] = [];
  const includes: number[] = [];
  const define = (name: unknown, value: Node | undefined, node: Node, block: Block | null): void => {
    if (typeof name !== 'string') return;
    definitions.push({ name, value: literal(value, definitions) ?? null, line: lineOf(node), block });
  };
  const walk = (node: unknown, block: Block | null): void => {
    if (Array.isArray(node)) for (const child of node) walk(child, block);
    if (!isNode(node) || ELSEWHERE.has(node.kind ?? '')) return;
    if (node.kind === 'include') includes.push(lineOf(node));
    if (node.kind === 'call' && /^\\?define$/i.test(String(node.what?.name))) {
      const [name, value] = node.arguments ?? [];
      define(literal(name, definitions), value, node, block);
    }
    if (node.kind === 'constantstatement') {
      for (const { name, value } of node.constants ?? []) define((name as Node).name, value as Node, node, block);
    }
    if (node.kind === 'if') {
      walk(node.test, block);
      // What is defined only where it is not yet is defined either way.
      walk(node.body, isUndefinedTest(node.test) ? block : { parent: block });
      const { alternate } = node;
      walk(alternate, alternate?.kind === 'if' ? block : { parent: block });
      return;
    }
    if (node.kind === 'bin' && (OTHERWISE.has(String(node.type)) || ALSO.has(String(node.type)))) {
      walk(node.left, block);
      const isGuard = OTHERWISE.has(String(node.type)) ? isDefinedTest(node.left) : isUndefinedTest(node.left);
      walk(node.right, isGuard ? block : { parent: block });
      return;
    }
    const inner = PERHAPS.has(node.kind ?? '') ? { parent: block } : block;
    for (const child of Object.values(node)) walk(child, inner);
  };
  try {
    walk(parser.parseCode(text, 'config.php'), null);
  } catch {
    // Some texts are too broken for the parser to go on.
  }
  return { definitions, includes };
}

/**
 * The values of these names, as PHP would have them: the first definition counts. Where that depends on a condition, the
 * alternatives instead; `line` is the one of them that holds.
 */
export function chooseValues(
  definitions: readonly Definition[],
  names: readonly string[],
  line?: number,
): { readonly values: ReadonlyMap<string, string | null> } | { readonly branches: readonly Alternative[] } {
  const wanted = definitions.filter(({ name }) => names.includes(name));
  const chosen = line === undefined ? undefined : wanted.find((one) => one.line === line);
  const possible = chosen === undefined ? wanted : wanted.filter(({ block }) => isTogether(block, chosen.block));
  const values = new Map<string, string | null>();
  const open: Definition[] = [];
  for (const name of names) {
    const all = possible.filter((one) => one.name === name);
    // Of what is chosen it is known that it is run.
    const always = chosen === undefined ? all.findIndex(({ block }) => block === null) : 0;
    const counting = always < 0 ? all : all.slice(0, always + 1);
    if (counting[0] !== undefined) values.set(name, counting[0].value);
    if (new Set(counting.map((one) => one.value)).size > 1) open.push(...counting);
  }
  if (open.length === 0) return { values };
  const blocks = new Set(open.map(({ block }) => block));
  const branches = [...blocks].map((block): Alternative => {
    const inside = wanted.filter((one) => one.block === block);
    return {
      line: Math.min(...inside.map((one) => one.line)),
      values: new Map(inside.toReversed().map((one) => [one.name, one.value])),
    };
  });
  return { branches: branches.toSorted((one, other) => one.line - other.line) };
}

/** True if what stands in the first is run where what stands in the second is. */
function isTogether(block: Block | null, chosen: Block | null): boolean {
  for (let at = chosen; ; at = at.parent) {
    if (at === block) return true;
    if (at === null) return false;
  }
}

function lineOf(node: Node): number {
  return node.loc?.start.line ?? 0;
}

function isNode(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

/** `defined('X')` */
function isDefinedTest(node: Node | undefined): boolean {
  return node?.kind === 'call' && /^\\?defined$/i.test(String(node.what?.name));
}

/** `!defined('X')` */
function isUndefinedTest(node: Node | undefined): boolean {
  return node?.kind === 'unary' && node.type === '!' && isDefinedTest(node.what);
}

/** A text, a number, texts joined by dots, or a constant that was defined before; else undefined. */
function literal(node: Node | undefined, known: readonly Definition[]): string | undefined {
  switch (node?.kind ?? '') {
    case 'string':
    case 'nowdoc':
    case 'number':
      return String(node?.value);
    case 'name': {
      const name = String(node?.name).replace(/^\\/, '');
      const values = new Set(known.filter((one) => one.name === name).map((one) => one.value));
      return values.size === 1 ? ([...values][0] ?? undefined) : undefined;
    }
    case 'bin': {
      const [left, right] = [literal(node?.left, known), literal(node?.right, known)];
      return node?.type === '.' && left !== undefined && right !== undefined ? left + right : undefined;
    }
    default:
      return undefined;
  }
}
