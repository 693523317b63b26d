/** A part of an edition that only some readers get; `isPrimary` when it is also shown where nobody in particular is meant. */
export type Passage = { readonly key: string; readonly isPrimary: boolean }

/*
 * Control characters like those of the holes in `edition.ts`, and out of reach of data for the same reason: a passage is
 * opened with its key between the first two, and closed with the third.
 */
const [open, keyed, close] = ['\u0004', '\u0005', '\u0006']
const secondary = '~'
const passage = /\u0004(~?)([\d.]+)\u0005([^\u0006]*)\u0006/g

/** What stands before and after a passage in a template. */
export function passageMarks({ key, isPrimary }: Passage): { readonly open: string; readonly close: string } {
  return { open: `${open}${isPrimary ? '' : secondary}${key}${keyed}`, close }
}

/** A part of an edition for readers who get the passages with these keys, and no other. */
export function withPassages(part: string, keys: readonly string[]): string {
  return part.replace(passage, (_, __, key: string, words: string) => (keys.includes(key) ? words : ''))
}

/** The part where nobody in particular is meant, such as on the web. */
export function withPrimaryPassages(part: string): string {
  return part.replace(passage, (_, mark: string, __, words: string) => (mark === secondary ? '' : words))
}
