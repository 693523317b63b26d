import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { type ComparisonDocument, comparisonDocument } from './document.ts'
import { inWords, linesOf, nearest, problemsIn } from './read-documents.ts'

/** One thing wrong: a JSON pointer (RFC 6901) to it, what was expected there, and its place, both counted from 1. */
export type Misplaced = {
  readonly path: string
  readonly message: string
  readonly line: number
  readonly column: number
}

/** The one document of a text, or why it is none: no JSON at all, or not what a comparison is. */
export type ReadOne =
  | { readonly kind: 'read'; readonly document: ComparisonDocument }
  | { readonly kind: 'malformed' | 'invalid'; readonly faults: readonly Misplaced[] }

/** Ten times what the largest document has: more is not looked at, so that nobody has to wait for it. */
const most = { tokens: 5_000, depth: 16 }

/** Reads one JSON document that must have this slug. A field that is there twice is refused: nobody can say which is meant. */
export function readDocument(source: string, slug: string): ReadOne {
  const { value, isJson } = parse(source)
  const at = placesIn(source)
  const excess = excessOf(source)
  if (excess)
    return { kind: isJson ? 'invalid' : 'malformed', faults: [at([], excess.message, excess.offset)] }

  const errors: ParseError[] = []
  const root = parseTree(source, errors, { disallowComments: true })
  if (!isJson || !root) return { kind: 'malformed', faults: [at([], ...firstOf(errors))] }

  const doubled = doubledIn(root).map(({ path, offset }) => at(path, 'is there twice', offset))
  const result = comparisonDocument.safeParse(value)
  const wrong = result.success
    ? result.data.slug === slug
      ? []
      : [{ path: ['slug'], problem: `expected "${slug}", as in the address` }]
    : problemsIn(result.error)
  const faults = [
    ...doubled,
    ...wrong.map(({ path, problem }) => at(path, problem, nearest(root, path).offset)),
  ]
  return result.success && faults.length === 0
    ? { kind: 'read', document: result.data }
    : { kind: 'invalid', faults }
}

function parse(source: string): { readonly isJson: boolean; readonly value?: unknown } {
  try {
    return { isJson: true, value: JSON.parse(source) }
  } catch (error) {
    if (error instanceof SyntaxError) return { isJson: false }
    throw error
  }
}

/** Token by token: a tree of a million values would be dear, and a deep one does not fit the stack. */
function excessOf(source: string): { readonly message: string; readonly offset: number } | undefined {
  const scanner = createScanner(source, true)
  let depth = 0
  for (let tokens = 0; scanner.scan() !== token.end; tokens++) {
    const offset = scanner.getTokenOffset()
    const kind = scanner.getToken()
    if (kind === token.openBrace || kind === token.openBracket) depth++
    if (kind === token.closeBrace || kind === token.closeBracket) depth--
    if (depth > most.depth) return { message: 'is nested more deeply than any comparison', offset }
    if (tokens > most.tokens) return { message: 'has more values than any comparison', offset }
  }
  return undefined
}

/** The library's `SyntaxKind`: its names are there for the compiler only. */
const token = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, end: 17 }

function firstOf([first]: readonly ParseError[]): [message: string, offset: number] {
  const what = first ? inWords(printParseErrorCode(first.error)) : 'value expected'
  return [`not valid JSON: ${what}`, first?.offset ?? 0]
}

type Step = string | number

function doubledIn(
  node: Node,
  path: readonly Step[] = [],
): readonly { readonly path: readonly Step[]; readonly offset: number }[] {
  const seen = new Set<unknown>()
  return (node.children ?? []).flatMap((child, index) => {
    const [key, value] = child.type === 'property' ? (child.children ?? []) : [undefined, child]
    const here = [...path, key ? String(key.value) : index]
    const isDoubled = key !== undefined && seen.has(key.value)
    if (key) seen.add(key.value)
    return [
      ...(isDoubled ? [{ path: here, offset: child.offset }] : []),
      ...(value ? doubledIn(value, here) : []),
    ]
  })
}

function placesIn(source: string) {
  const lineOf = linesOf(source)
  return (path: readonly Step[], message: string, offset: number): Misplaced => ({
    path: pointer(path),
    message,
    line: lineOf(offset),
    column: offset - source.lastIndexOf('\n', offset - 1),
  })
}

/** What lies below a name that is far too long is told of by what has the name. */
function pointer(path: readonly Step[]): string {
  const tooLong = path.findIndex((step) => String(step).length > 120)
  const steps = tooLong === -1 ? path : path.slice(0, tooLong)
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
