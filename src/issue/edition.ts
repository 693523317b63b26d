import { createHash } from 'node:crypto'
import { withPassages, withPrimaryPassages } from './passage.ts'

/** What is personal in a mail: each is a hole in the edition that delivery fills per reader. */
export const personalHoles = ['unsubscribe', 'preferences', 'webVersion', 'vote'] as const

export type PersonalLinks = Readonly<Record<(typeof personalHoles)[number], string>>

/** An issue set in type, with its holes still open. */
export type Rendered = {
  readonly subject: string
  readonly preheader: string
  readonly html: string
  readonly text: string
}

/** A rendered issue under the SHA-256 of its four parts, in hex. */
export type Edition = Rendered & { readonly hash: string }

/** An edition cut at its holes: literal pieces and hole names in turn, so that filling is copying. */
export type CutEdition = {
  readonly hash: string
  readonly subject: string
  readonly html: readonly string[]
  readonly text: readonly string[]
}

/*
 * A hole is written with two control characters, which the intake refuses and `printable` removes from everything
 * that data brings: text about tools can never make or close a hole.
 */
const open = '\u0001'
const close = '\u0002'

/** Where in a template the reader's own link goes. */
export function holeFor(name: (typeof personalHoles)[number]): string {
  return `${open}${name}${close}`
}

/** Freezes what was rendered under its hash. The database checks the same sum (`db/migrations/003-issues.ts`). */
export function freezeEdition({ subject, preheader, html, text }: Rendered): Edition {
  const hash = createHash('sha256').update([subject, preheader, html, text].join('\u001e')).digest('hex')
  return { hash, subject, preheader, html, text }
}

/** An edition for readers who get the passages with these keys and no other; every other byte stays. */
export function toldOnly({ subject, preheader, html, text }: Rendered, keys: readonly string[]): Edition {
  return freezeEdition({ subject, preheader, html: withPassages(html, keys), text: withPassages(text, keys) })
}

/**
 * Cuts an edition once, before the first reader; of its passages it keeps the primary ones. Throws when a part lacks a
 * working way out: such a mail is never sent.
 */
export function cutEdition(edition: Edition): CutEdition {
  const cut = {
    hash: edition.hash,
    subject: edition.subject,
    html: pieces(edition.html),
    text: pieces(edition.text),
  }
  for (const part of ['html', 'text'] as const) {
    if (!cut[part].includes('unsubscribe'))
      throw new Error(`Edition ${edition.hash} has no unsubscribe link in its ${part}`)
  }
  return cut
}

/** Whether an edition has a place for a personal link, in either part. */
export function hasHole({ html, text }: CutEdition, name: (typeof personalHoles)[number]): boolean {
  return [html, text].some((part) => part.some((piece, index) => index % 2 === 1 && piece === name))
}

/** One reader's html and text. Links are URLs of our own making and need no escaping in either. */
export function fillEdition(cut: CutEdition, links: PersonalLinks): { html: string; text: string } {
  return { html: fill(cut.html, links), text: fill(cut.text, links) }
}

function pieces(part: string): readonly string[] {
  return withPrimaryPassages(part).split(/\u0001(\w+)\u0002/)
}

function fill(parts: readonly string[], links: PersonalLinks): string {
  let whole = ''
  for (const [index, piece] of parts.entries()) whole += index % 2 === 0 ? piece : linkFor(piece, links)
  return whole
}

function linkFor(hole: string, links: PersonalLinks): string {
  const name = personalHoles.find((known) => known === hole)
  if (!name) throw new Error(`Unknown hole "${hole}" in an edition`)
  return links[name]
}
