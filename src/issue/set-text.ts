import type { HelperOptions } from 'handlebars'

const columns = 78

/** East Asian wide and fullwidth characters (Unicode UAX #11) and emoji: two columns each in a fixed-width font. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * The template helper `{{wrap part … lead="  Panel  "}}`: the parts as one text, broken between words at 78 columns.
 * The lead stands before the first line and is blank before the others. A word that is too long stays whole.
 */
export function wrap(...given: readonly unknown[]): string {
  const { hash } = given.at(-1) as HelperOptions
  const lead = String(hash.lead ?? '')
  const lines = setLines(given.slice(0, -1).join(''), columns - widthOf(lead))
  return lead + lines.join(`\n${' '.repeat(widthOf(lead))}`)
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  return split(text).reduce((width, grapheme) => width + (wide.test(grapheme) ? 2 : 1), 0)
}

function setLines(text: string, room: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const piece of piecesOf(text)) {
    if (line !== '' && widthOf((line + piece).trimEnd()) > room) {
      lines.push(line.trimEnd())
      line = ''
    }
    line += piece
  }
  return [...lines, line.trimEnd()]
}

/** What may not be broken, each with the space after it: a word, or a wide character with the punctuation behind it. */
function piecesOf(text: string): readonly string[] {
  const pieces: string[] = []
  for (const word of text.trim().split(/[^\S\u00a0\u202f]+/)) {
    let joins = false
    for (const grapheme of split(word)) {
      const breaks = wide.test(grapheme) && !/^[\p{Pe}\p{Pf}\p{Po}ー]/u.test(grapheme)
      if (joins && !breaks) pieces.push((pieces.pop() ?? '') + grapheme)
      else pieces.push(grapheme)
      joins = true
    }
    pieces.push(`${pieces.pop() ?? ''} `)
  }
  return pieces
}

function split(text: string): readonly string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment)
}
