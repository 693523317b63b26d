import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../../db/schema.ts'
import { rulesVersion } from '../issue/preflight/edition.ts'
import { type Finding, isLine, lines } from '../issue/preflight/finding.ts'

/** What was found in an edition at some time: what its bytes say, what the kinds of readers get, and what a browser saw. */
export type Kept = {
  readonly edition: readonly Finding[] | undefined
  readonly variants: (Variants & { readonly at: Temporal.Instant }) | undefined
  readonly axe: Audited | undefined
}

/** What is not well with the mails of readers who get another one than the issue's own, and how heavy they are. */
export type Variants = {
  readonly weights: readonly { readonly kind: string; readonly bytes: number }[]
  readonly findings: readonly Finding[]
}

const finding = z
  .object({
    id: z.string().refine(isLine),
    level: z.enum(['pass', 'warn', 'block']),
    what: z.string(),
    evidence: z.array(z.string()),
    place: z.string(),
  })
  .transform((one): Finding => ({ ...one, title: lines[one.id] }))
const parts = {
  edition: z.array(finding),
  variants: z.object({
    weights: z.array(z.object({ kind: z.string(), bytes: z.number() })),
    findings: z.array(finding),
  }),
  axe: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('ran'),
      violations: z.array(z.object({ rule: z.string(), help: z.string(), nodes: z.number() })),
    }),
    z.object({ kind: z.literal('not run'), reason: z.string() }),
  ]),
}

type Audited = z.infer<typeof parts.axe>
export type Part = keyof typeof parts

/** What was kept of an edition by the rules as they are now; a part that nobody has made is undefined. */
export async function keptChecks(db: Kysely<Database>, hash: string): Promise<Kept> {
  const rows = await db
    .selectFrom('edition_check')
    .select(['part', 'findings', 'at'])
    .where('edition_hash', '=', hash)
    .where('version', '=', rulesVersion())
    .execute()
  const row = (part: Part) => rows.find((one) => one.part === part)
  const variants = row('variants')
  return {
    edition: parts.edition.optional().catch(undefined).parse(row('edition')?.findings),
    variants: variants && { ...parts.variants.parse(variants.findings), at: variants.at },
    axe: parts.axe.optional().catch(undefined).parse(row('axe')?.findings),
  }
}

/** Keeps a part beside its edition, in the place of what was there. */
export async function keepCheck(
  db: Kysely<Database>,
  hash: string,
  part: Part,
  findings: object,
  at: Temporal.Instant,
): Promise<void> {
  const row = { version: rulesVersion(), findings: JSON.stringify(findings), at }
  await db
    .insertInto('edition_check')
    .values({ edition_hash: hash, part, ...row })
    .onConflict((oc) => oc.columns(['edition_hash', 'part']).doUpdateSet(row))
    .execute()
}
