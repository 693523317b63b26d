import { isDeepStrictEqual } from 'node:util'
import type { Transaction } from 'kysely'
import type { Database, DecisionKind } from '../../db/schema.ts'
import type { ComparisonDocument } from '../verdict/document.ts'
import { publishWithin } from '../verdict/publish.ts'
import { findRevision, type Revision } from '../verdict/revisions.ts'
import { recordDecision } from './decision.ts'
import { type DraftDeps, draftAgain } from './draft.ts'
import type { Issue } from './issue.ts'
import { lockDraftWith } from './lock-draft.ts'

/** A document that an editor wants to be what a comparison says. */
export type Wanted = {
  readonly document: ComparisonDocument
  /** The revision that the editor had before them; null for a comparison that is to be new. */
  readonly seen: number | null
  readonly by: string
  readonly what: Extract<DecisionKind, 'publish' | 'edit comparison' | 'retract' | 'restore'>
}

/** What saving came to; `redrafted` is the week whose draft had to be set without the comparison. */
export type Revised =
  | { readonly kind: 'saved'; readonly revision: number; readonly redrafted: string | null }
  | { readonly kind: 'unchanged'; readonly revision: number }
  /** Somebody made another revision meanwhile: nothing was saved. */
  | { readonly kind: 'stale'; readonly now: Revision }
  /** It was sent, so it cannot be taken back to a time to come. */
  | { readonly kind: 'sent'; readonly week: string }

/**
 * Makes a document the next revision of its comparison, unless somebody else has made one since the editor looked. A
 * draft keeps the revision that it was set with, but for a comparison that must not be in it at all: one that is
 * retracted, or published only in time to come. Then it is set anew in the same transaction.
 */
export async function reviseComparison(deps: DraftDeps, wanted: Wanted): Promise<Revised> {
  try {
    return await deps.db.transaction().execute((trx) => reviseWithin(trx, deps, wanted))
  } catch (error) {
    if (error instanceof MadeMeanwhile) return reviseComparison(deps, wanted)
    throw error
  }
}

async function reviseWithin(
  trx: Transaction<Database>,
  deps: DraftDeps,
  { document, seen, by, what }: Wanted,
): Promise<Revised> {
  const { slug } = document
  const at = deps.clock()
  const draft = await lockDraftWith(trx, slug)
  await lockComparison(trx, slug)
  const now = await findRevision(trx, slug)
  if (now && isDeepStrictEqual(now.document, withoutGaps(document)))
    return { kind: 'unchanged', revision: now.revision }
  if (now && now.revision !== seen) return { kind: 'stale', now }
  const sentIn = isAfter(document, at) ? await weekSent(trx, slug) : undefined
  if (sentIn !== undefined) return { kind: 'sent', week: sentIn }

  const { outcome, revision } = await publishWithin(trx, document, { at, by })
  if (seen === null && outcome !== 'created') throw new MadeMeanwhile()
  const mustGo = document.retracted || isAfter(document, at)
  if (draft && mustGo) await draftAgain(trx, deps, draft)
  await recordDecision(trx, {
    ...{ at, by, what, evidence: { slug, revision } },
    ...(draft && mustGo && { issueId: draft.id }),
  })
  return { kind: 'saved', revision, redrafted: draft && mustGo ? draft.week : null }
}

/**
 * Sets the draft that a comparison is in anew, as of its cut-off, so that it has the newest revision. Returns the issue as
 * it was, or undefined when the comparison is in no draft.
 */
export function takeIntoDraft(deps: DraftDeps, slug: string, by: string): Promise<Issue | undefined> {
  return deps.db.transaction().execute(async (trx) => {
    const issue = await lockDraftWith(trx, slug)
    if (!issue) return undefined
    const now = await findRevision(trx, slug)
    const { edition } = await draftAgain(trx, deps, issue)
    await recordDecision(trx, {
      ...{ at: deps.clock(), by, what: 'draft', issueId: issue.id },
      evidence: { slug, revision: now?.revision ?? 0, ...(edition && { edition: edition.hash }) },
    })
    return issue
  })
}

/** Two editors made a comparison of one name at the same moment: whoever was second looks again. */
class MadeMeanwhile extends Error {}

async function lockComparison(trx: Transaction<Database>, slug: string): Promise<void> {
  await trx.selectFrom('comparison').select('id').where('slug', '=', slug).forUpdate().execute()
}

async function weekSent(trx: Transaction<Database>, slug: string): Promise<string | undefined> {
  const row = await trx
    .selectFrom('issue_comparison as ic')
    .innerJoin('comparison as c', 'c.id', 'ic.comparison_id')
    .innerJoin('issue as i', 'i.id', 'ic.issue_id')
    .select('i.week')
    .where('c.slug', '=', slug)
    .where('i.planned_at', 'is not', null)
    .executeTakeFirst()
  return row?.week
}

function isAfter({ publishedAt }: ComparisonDocument, instant: Temporal.Instant): boolean {
  return Temporal.Instant.compare(Temporal.Instant.from(publishedAt), instant) > 0
}

/** The document as it comes back from the table: a field that says nothing is not there. */
function withoutGaps(document: ComparisonDocument): unknown {
  return JSON.parse(JSON.stringify(document))
}
