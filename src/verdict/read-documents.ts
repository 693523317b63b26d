import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { z } from 'zod'
import { type ComparisonDocument, comparisonDocument } from './document.ts'

/** One thing wrong in a file: where, and what was expected there. `field` is empty for the document as a whole. */
export type Fault = { readonly line: number; readonly field: string; readonly problem: string }

/** A document that was read from a file, or why it was refused. `line` is where it begins. */
export type ReadDocument =
  | { readonly ok: true; readonly line: number; readonly document: ComparisonDocument }
  | {
      readonly ok: false
      readonly line: number
      readonly slug: string | null
      readonly faults: readonly Fault[]
    }

/** Reads one JSON document, an array of them, or NDJSON (one to a line). Never throws: whatever is wrong is in the answer. */
export function readDocuments(source: string): readonly ReadDocument[] {
  const content = source.replace(/^\uFEFF/, '')
  if (content.trim() === '') return [refused(1, null, [fault(1, '', 'the file is empty; expected JSON')])]

  const whole = parse(content)
  if (whole.ok) {
    const lineOf = linesOf(content)
    return documentsIn(whole.root).map((node) => readNode(content, node, lineOf))
  }
  if (looksLikeLines(content)) return readLines(content)
  return [refused(whole.line, null, [fault(whole.line, '', whole.problem)])]
}

type Parsed = { ok: true; root: Node } | { ok: false; line: number; problem: string }

function parse(content: string): Parsed {
  const errors: ParseError[] = []
  const root = treeOf(content, errors)
  const first = errors[0]
  if (root && !first) return { ok: true, root }
  if (root === null) return { ok: false, line: 1, problem: 'nested too deeply' }
  const offset = first?.offset ?? 0
  const name = first ? printParseErrorCode(first.error) : 'ValueExpected'
  return { ok: false, line: linesOf(content)(offset), problem: `not valid JSON: ${inWords(name)}` }
}

/** `null` when the nesting is deeper than the stack: the parser calls itself for every level. */
function treeOf(content: string, errors: ParseError[]): Node | undefined | null {
  try {
    return parseTree(content, errors, { disallowComments: true })
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** `CommaExpected` is "comma expected". */
export function inWords(code: string): string {
  return code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase()
}

function documentsIn(root: Node): readonly Node[] {
  return root.type === 'array' ? (root.children ?? []) : [root]
}

/** NDJSON: the first line that says something is JSON by itself, or every line begins an object. */
function looksLikeLines(content: string): boolean {
  const lines = content.split('\n').filter((line) => line.trim() !== '')
  return lines.length > 1 && (parse(lines[0] ?? '').ok || lines.every((line) => /^\s*\{/.test(line)))
}

function readLines(content: string): readonly ReadDocument[] {
  return content.split('\n').flatMap((text, index) => {
    if (text.trim() === '') return []
    const line = index + 1
    const parsed = parse(text)
    return parsed.ok
      ? [readNode(text, parsed.root, () => line)]
      : [refused(line, null, [fault(line, '', parsed.problem)])]
  })
}

function readNode(content: string, node: Node, lineOf: (offset: number) => number): ReadDocument {
  const value: unknown = JSON.parse(content.slice(node.offset, node.offset + node.length))
  const result = comparisonDocument.safeParse(value)
  if (result.success) return { ok: true, line: lineOf(node.offset), document: result.data }

  const faults = problemsIn(result.error).map(({ path, problem }) =>
    fault(lineOf(nearest(node, path).offset), fieldName(path), problem),
  )
  return refused(lineOf(node.offset), slugOf(value), faults)
}

/** Where a value is not what was expected, and what was, in plain words; an unknown field is named by its own path. */
export function problemsIn(
  error: z.ZodError,
): readonly { readonly path: readonly (string | number)[]; readonly problem: string }[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.filter((step) => typeof step !== 'symbol')
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key], problem: 'unknown field' }))
    return [{ path, problem: inPlainWords(issue.message) }]
  })
}

/** The parser's own phrases as a person would say them; our own messages are left as they are. */
function inPlainWords(message: string): string {
  const [, wanted, found] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? []
  if (wanted)
    return found === 'undefined'
      ? `is missing; expected ${kind(wanted)}`
      : `expected ${kind(wanted)}, found ${kind(found)}`
  return message.replace(
    /^Invalid option: expected one of (.*)$/,
    (_, list: string) => `expected one of ${list.replaceAll('"', '').replaceAll('|', ', ')}`,
  )
}

function kind(name = ''): string {
  const kinds: Record<string, string> = {
    string: 'text',
    object: 'an object',
    array: 'a list',
    number: 'a number',
    boolean: 'true or false',
  }
  return kinds[name] ?? name
}

/** The node that a path names, or the closest one above it: a missing field has no place of its own. */
export function nearest(node: Node, path: readonly (string | number)[]): Node {
  for (let length = path.length; length > 0; length--) {
    const found = findNodeAtLocation(node, path.slice(0, length))
    if (found) return found
  }
  return node
}

/** `tools[1].reviews[0].quote` */
function fieldName(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (name, step) => (typeof step === 'number' ? `${name}[${step}]` : name ? `${name}.${step}` : step),
    '',
  )
}

function slugOf(value: unknown): string | null {
  const isNamed = typeof value === 'object' && value !== null && 'slug' in value
  return isNamed && typeof value.slug === 'string' ? value.slug : null
}

/** Tells the line of an offset by halving: counting from the start for each document would square the work. */
export function linesOf(content: string): (offset: number) => number {
  const ends = Array.from(content.matchAll(/\n/g), (end) => end.index)
  return (offset) => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}

function fault(line: number, field: string, problem: string): Fault {
  return { line, field, problem }
}

function refused(line: number, slug: string | null, faults: readonly Fault[]): ReadDocument {
  return { ok: false, line, slug, faults }
}
