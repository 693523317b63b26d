/** The words of a text as they are looked for: small letters and figures, without accents and without what is between them. */
export function searchWords(text: string): readonly string[] {
  return (
    text
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

const most = { words: 8, letters: 60 }

/** The words of what somebody typed, as many and as long as are looked for. */
export function searchTerms(typed: string): readonly string[] {
  return searchWords(typed)
    .slice(0, most.words)
    .map((word) => word.slice(0, most.letters))
}

/**
 * What somebody typed as a query for `to_tsquery('simple', …)` over words that `searchWords` gave: every word, each as a
 * beginning. Undefined when there is no word in it.
 */
export function searchQuery(typed: string): string | undefined {
  const words = searchTerms(typed)
  return words.length === 0 ? undefined : words.map((word) => `${word}:*`).join(' & ')
}
