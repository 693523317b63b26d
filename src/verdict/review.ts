/** The panel's four lenses, in the order in which every page and mail shows them. */
export const lenses: readonly string[] = ['builder', 'skeptic', 'futurist', 'founder']

/** Sorts reviewers into panel order: the four lenses first, guests after them by name. */
export function comparePanelOrder(a: string, b: string): number {
  return seat(a) - seat(b) || (a < b ? -1 : a > b ? 1 : 0)
}

/** A reviewer's slug as words: `builder` is "Builder", `power-user` is "Power user". */
export function lensName(slug: string): string {
  const words = slug.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function seat(reviewer: string): number {
  const index = lenses.indexOf(reviewer)
  return index === -1 ? lenses.length : index
}
