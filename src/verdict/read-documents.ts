import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
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
  if (whole.ok) return documentsIn(whole.root).map((node) => readNode(content, node, 1))
  if (looksLikeLines(content)) return readLines(content)
  return [refused(whole.line, null, [fault(whole.line, '', whole.problem)])]
}

type Parsed = { ok: true; root: Node } | { ok: false; line: number; problem: string }

function parse(content: string): Parsed {
  const errors: ParseError[] = []
  const root = parseTree(content, errors, { disallowComments: true })
  const first = errors[0]
  if (root && !first) return { ok: true, root }
  const offset = first?.offset ?? 0
  const name = first ? printParseErrorCode(first.error) : 'ValueExpected'
  return { ok: false, line: lineAt(content, offset), problem: `not valid JSON: ${inWords(name)}` }
}

/** `CommaExpected` is "comma expected". */
function inWords(code: string): string {
  return code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase()
}

function documentsIn(root: Node): readonly Node[] {
  return root.type === 'array' ? (root.children ?? []) : [root]
}

/** NDJSON: the first line that says something is JSON by itself. */
function looksLikeLines(content: string): boolean {
  const lines = content.split('\n').filter((line) => line.trim() !== '')
  return lines.length > 1 && parse(lines[0] ?? '').ok
}

function readLines(content: string): readonly ReadDocument[] {
  return content.split('\n').flatMap((text, index) => {
    if (text.trim() === '') return []
    const line = index + 1
    const parsed = parse(text)
    return parsed.ok
      ? [readNode(text, parsed.root, line)]
      : [refused(line, null, [fault(line, '', parsed.problem)])]
  })
}

function readNode(content: string, node: Node, firstLine: number): ReadDocument {
  const at = (offset: number) => firstLine + lineAt(content, offset) - 1
  const value: unknown = JSON.parse(content.slice(node.offset, node.offset + node.length))
  const result = comparisonDocument.safeParse(value)
  if (result.success) return { ok: true, line: at(node.offset), document: result.data }

  const faults = result.error.issues.map((issue) => {
    const path = issue.path.filter((step) => typeof step !== 'symbol')
    return fault(at(nearest(node, path).offset), fieldName(path), issue.message)
  })
  return refused(at(node.offset), slugOf(value), faults)
}

/** The node that a path names, or the closest one above it: a missing field has no place of its own. */
function nearest(node: Node, path: readonly (string | number)[]): Node {
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

function lineAt(content: string, offset: number): number {
  return content.slice(0, offset).split('\n').length
}

function fault(line: number, field: string, problem: string): Fault {
  return { line, field, problem }
}

function refused(line: number, slug: string | null, faults: readonly Fault[]): ReadDocument {
  return { ok: false, line, slug, faults }
}
