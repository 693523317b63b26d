import type { Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Edition } from '../issue/edition.ts'
import type { Issue } from '../issue/issue.ts'
import { addLinks } from '../issue/links.ts'
import type { Finding } from '../issue/preflight/finding.ts'
import { choiceOfEverybody, choicesOf, readChoice, wholeWith } from './choice.ts'
import { loadEdition } from './load-edition.ts'
import type { ChosenEdition } from './plan.ts'
import { openCheck, type PreflightDeps, stopsOf } from './preflight.ts'
import { keepTells } from './tells.ts'
import { variantsOf } from './variant.ts'

type Deps = Omit<PreflightDeps, 'db'> & { readonly db: Transaction<Database> }

/** Renders each of the audience's choices once and keeps it beside the approved edition. `heaviest` is in bytes of one mail. */
export async function chooseEditions(
  deps: Deps,
  issue: Issue,
  approvedHash: string,
): Promise<{ choices: readonly ChosenEdition[]; heaviest: number; blocks: readonly Finding[] }> {
  const approved = await loadEdition(deps.db, approvedHash)
  const variantFor = await variantsOf(deps, issue)
  const check = await openCheck(deps, issue)
  const choices: ChosenEdition[] = []
  let heaviest = weigh(approved)
  const blocks: Finding[] = []
  for (const choice of await choicesWithWholes(deps.db, issue.id)) {
    const variant = await variantFor(choice)
    switch (variant.kind) {
      case 'approved':
        await keepTells(deps.db, approvedHash, variant.tells)
        choices.push({ choice, hash: approvedHash, reason: null })
        break
      case 'nothing':
        choices.push({ choice, hash: null, reason: variant.reason })
        break
      case 'variant':
        await keepVariant(deps, issue, variant.edition, approvedHash)
        await keepTells(deps.db, variant.edition.hash, variant.tells)
        await addLinks(deps.db, issue.id, variant.links)
        blocks.push(...stopsOf(await check.look(choice, variant.edition, variant.links)))
        choices.push({ choice, hash: variant.edition.hash, reason: null })
        heaviest = Math.max(heaviest, weigh(variant.edition))
    }
  }
  return { choices, heaviest, blocks }
}

/** The audience's choices; the whole issue for who changes theirs just now; and what the web shows. */
async function choicesWithWholes(db: Transaction<Database>, issueId: number): Promise<readonly string[]> {
  const choices = await choicesOf(db, issueId)
  const wholes = choices.map((choice) => wholeWith(readChoice(choice).corrections))
  return [...new Set([...choices, ...wholes, 'weekly', await choiceOfEverybody(db, issueId)])]
}

async function keepVariant(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  issue: Issue,
  edition: Edition,
  approvedHash: string,
): Promise<void> {
  await db
    .insertInto('edition')
    .values({ ...edition, issue_id: issue.id, frozen_at: clock(), variant_of: approvedHash })
    .onConflict((oc) => oc.column('hash').doNothing())
    .execute()
}

/** About what one mail takes in a request: both parts, escaped, and its headers. */
function weigh({ html, text }: Edition): number {
  return Buffer.byteLength(JSON.stringify(html)) + Buffer.byteLength(JSON.stringify(text)) + 2000
}
