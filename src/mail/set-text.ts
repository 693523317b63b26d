import type { HelperOptions } from 'handlebars'

const columns = 78

/** East Asian wide and fullwidth characters (Unicode UAX #11) and emoji: two columns each in a fixed-width font. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u
/** What may not begin a line: closing brackets and quotes, full stops, the long-vowel mark. */
const clinging = /^[\p{Pe}\p{Pf}\p{Po}ー]/u
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * The template helper `{{wrap part … lead="  Panel  "}}`: the parts as one text, broken between words at 78 columns.
 * The lead stands before the first line and is blank before the others. A word that is too long stays whole.
 */
export function wrap(...given: readonly unknown[]): string {
  const { hash } = given.at(-1) as HelperOptions
  return wrapped(given.slice(0, -1).join(''), String(hash.lead ?? ''))
}

/** The same for a text that no template has: `lead` stands before its first line. */
export function wrapped(text: string, lead: string): string {
  const room = columns - widthOf(lead)
  return lead + setLines(text, room).join(`\n${' '.repeat(columns - room)}`)
}

function setLines(text: string, room: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const piece of piecesOf(text)) {
    if (line !== '' && used + widthOf(piece.trimEnd()) > room) {
      lines.push(line.trimEnd())
      line = ''
      used = 0
    }
    line += piece
    used += widthOf(piece)
  }
  return [...lines, line.trimEnd()]
}

/** What may not be broken: a word with the space after it, or a wide character with what clings to it. */
function piecesOf(text: string): readonly string[] {
  return text
    .trim()
    .split(/[^\S\u00a0\u202f]+/)
    .flatMap((word) => (wide.test(word) ? piecesOfWide(`${word} `) : `${word} `))
}

function piecesOfWide(word: string): readonly string[] {
  const pieces: string[] = []
  for (const { segment } of graphemes.segment(word)) {
    const begins = pieces.length === 0 || (wide.test(segment) && !clinging.test(segment))
    if (begins) pieces.push(segment)
    else pieces.push(pieces.pop() + segment)
  }
  return pieces
}

/** Columns that a text takes. */
function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  return Array.from(graphemes.segment(text), ({ segment }) => (wide.test(segment) ? 2 : 1)).reduce(
    (sum: number, width) => sum + width,
    0,
  )
}
