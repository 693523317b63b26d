import type { IssueEdits } from './edits.ts'

/** A part of an issue that one editor corrects at a time: `subject`, `leave out SLUG`, `quote 1 of SLUG`. */
export type EditField = {
  readonly name: string
  /** What it says, in words an editor reads; empty for as generated. */
  readonly value: string
}

/** A field that two editors, or one of them, changed since both saw the same. */
export type FieldDiff = {
  readonly name: string
  readonly base: string
  readonly mine: string
  readonly theirs: string
  readonly changedBy: 'me' | 'them' | 'both'
}

/** The names of the fields in which two edits differ. */
export function changedFields(before: IssueEdits, after: IssueEdits): readonly string[] {
  const [a, b] = [fieldsOf(before), fieldsOf(after)]
  return [...new Set([...a.keys(), ...b.keys()])].filter(
    (name) => (a.get(name) ?? '') !== (b.get(name) ?? ''),
  )
}

/** What one editor changed and what another did meanwhile, field by field. Where both came to the same there is no difference. */
export function threeWayDiff(base: IssueEdits, mine: IssueEdits, theirs: IssueEdits): readonly FieldDiff[] {
  const [was, my, their] = [fieldsOf(base), fieldsOf(mine), fieldsOf(theirs)]
  return [...new Set([...was.keys(), ...my.keys(), ...their.keys()])].flatMap((name) => {
    const [b, m, t] = [was.get(name) ?? '', my.get(name) ?? '', their.get(name) ?? '']
    if (m === t) return []
    const changedBy = m === b ? 'them' : t === b ? 'me' : 'both'
    return [{ name, base: b, mine: m, theirs: t, changedBy } as const]
  })
}

/** Theirs with what I changed on top of it; where both changed a field, mine. */
export function onTopOf(base: IssueEdits, mine: IssueEdits, theirs: IssueEdits): IssueEdits {
  const changed = new Set(changedFields(base, mine))
  const pick = <Name extends 'subject' | 'preheader' | 'intro' | 'order'>(name: Name): IssueEdits[Name] =>
    changed.has(name) ? mine[name] : theirs[name]
  const has = (name: string) => (changed.has(name) ? mine : theirs)
  const slugs = (of: (edits: IssueEdits) => readonly string[]) => [...new Set([...of(theirs), ...of(mine)])]

  return {
    ...{ subject: pick('subject'), preheader: pick('preheader'), intro: pick('intro'), order: pick('order') },
    leftOut: slugs(({ leftOut }) => leftOut.map(({ slug }) => slug)).flatMap(
      (slug) => has(nameOf.leftOut(slug)).leftOut.find((one) => one.slug === slug) ?? [],
    ),
    include: slugs(({ include }) => include).filter((slug) =>
      has(nameOf.include(slug)).include.includes(slug),
    ),
    quotes: Object.fromEntries(
      slugs(({ quotes }) => Object.keys(quotes)).map((slug) => [
        slug,
        [
          has(nameOf.quote(slug, 0)).quotes[slug]?.[0] ?? null,
          has(nameOf.quote(slug, 1)).quotes[slug]?.[1] ?? null,
        ] as const,
      ]),
    ),
  }
}

const nameOf = {
  leftOut: (slug: string) => `leave out ${slug}`,
  include: (slug: string) => `put in ${slug}`,
  quote: (slug: string, side: 0 | 1) => `quote ${side + 1} of ${slug}`,
}

function fieldsOf(edits: IssueEdits): ReadonlyMap<string, string> {
  const quotes = Object.entries(edits.quotes).flatMap(([slug, sides]) =>
    ([0, 1] as const).map((side): [string, string] => [nameOf.quote(slug, side), sides[side] ?? '']),
  )
  return new Map([
    ['subject', edits.subject ?? ''],
    ['preheader', edits.preheader ?? ''],
    ['intro', edits.intro],
    ['order', edits.order?.join(', ') ?? ''],
    ...edits.leftOut.map(({ slug, reason }): [string, string] => [nameOf.leftOut(slug), `yes: ${reason}`]),
    ...edits.include.map((slug): [string, string] => [nameOf.include(slug), 'yes']),
    ...quotes,
  ])
}
