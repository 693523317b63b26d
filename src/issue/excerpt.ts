/** Text that was cut says so, and the reader is given a link to the rest. */
export type Excerpt = { readonly text: string; readonly isCut: boolean }

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' })
const words = new Intl.Segmenter('en', { granularity: 'word' })
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** As many whole sentences from the start as fit in `most` characters; a first sentence that is longer is cut between words. */
export function excerpt(text: string, most: number): Excerpt {
  const whole = text.replace(/\s+/g, ' ').trim()
  if (whole.length <= most) return { text: whole, isCut: false }

  let kept = ''
  for (const sentence of splitSentences(whole)) {
    if ((kept + sentence).trimEnd().length > most) break
    kept += sentence
  }
  return kept === '' ? { text: cutAtWord(whole, most), isCut: true } : { text: kept.trimEnd(), isCut: true }
}

/** The sentences of a text, each with the white space after it. */
export function splitSentences(text: string): readonly string[] {
  return Array.from(sentences.segment(text), (piece) => piece.segment)
}

/** At most `most` characters, ending after a whole word and an ellipsis; inside the word only where one is all there is. */
export function cutAtWord(text: string, most: number): string {
  const kept = keep(words, text, most - 1).replace(/[\s,;:–—-]+$/u, '')
  return `${kept || keep(graphemes, text, most - 1)}…`
}

/** As many whole pieces from the start as fit. */
function keep(segmenter: Intl.Segmenter, text: string, most: number): string {
  let kept = ''
  for (const { segment } of segmenter.segment(text)) {
    if (kept.length + segment.length > most) break
    kept += segment
  }
  return kept
}
