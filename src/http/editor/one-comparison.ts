import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { findListed, type ListedComparison } from '../../issue/list-comparisons.ts'
import { whereUsed } from '../../issue/where-used.ts'
import type { StoredComparison } from '../../verdict/comparison.ts'
import { loadWithVotes } from '../../verdict/count-votes.ts'
import { fieldChanges } from '../../verdict/field-changes.ts'
import { listRevisions } from '../../verdict/revisions.ts'
import { comparisonFacts } from './comparison-facts.ts'
import { revisionNotes, standingOf, stateWords, useWords } from './comparison-words.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { deskNotFound, deskPage } from './page.ts'
import { shortTime } from './when.ts'

const revisionsShown = 10
const query = z.object({
  revisions: z.coerce.number().int().positive().max(2_000_000_000).optional().catch(undefined),
})

/** `GET /desk/content/:slug`: a comparison as readers see it, where it is used, and what it said before. */
export function oneComparisonRoutes(deps: DeskDeps): Hono<DeskEnv> {
  const { db, clock } = deps
  return desk().get('/desk/content/:slug', async (c) => {
    const one = await findListed(db, clock(), c.req.param('slug'))
    const [comparison] = one ? await loadWithVotes(db, [one.id], deps.fewestVotes) : []
    if (!one || !comparison) return noSuchComparison(c, deps)
    return deskPage(c, deps, 'desk-comparison', {
      ...{ section: 'content', title: one.title },
      data: await comparisonData(deps, one, comparison, query.parse(c.req.query()).revisions),
    })
  })
}

/** Said where a path names a comparison that is not there. */
export function noSuchComparison(c: Context<DeskEnv>, deps: DeskDeps): Promise<Response> {
  return deskNotFound(c, deps, 'There is no comparison of that name.')
}

async function comparisonData(
  { db, clock, calendar: { zone } }: DeskDeps,
  one: ListedComparison,
  comparison: StoredComparison,
  upTo: number | undefined,
) {
  const now = clock()
  const uses = await whereUsed(db, one.slug)
  return {
    path: `/desk/content/${one.slug}`,
    ...{ slug: one.slug, title: one.title, revision: one.revision, week: one.week ?? '' },
    ...{ state: stateWords(one), standing: standingOf(one, now, zone) },
    isRetracted: one.state === 'retracted',
    isScheduled: one.state === 'scheduled',
    isPublic: one.state !== 'retracted' && one.state !== 'scheduled',
    notes: revisionNotes(one, uses, now),
    uses: uses.map((use) => ({ week: use.week, words: useWords(use) })),
    ...comparisonFacts(comparison),
    history: await historyOf(db, one.slug, { zone, upTo }),
  }
}

async function historyOf(
  db: DeskDeps['db'],
  slug: string,
  { zone, upTo }: { readonly zone: string; readonly upTo: number | undefined },
) {
  const revisions = await listRevisions(db, slug, { upTo, most: revisionsShown + 1 })
  const path = `/desk/content/${slug}`
  const oldest = revisions.at(revisionsShown)
  return {
    rows: revisions.slice(0, revisionsShown).map(({ revision, at, by, document }, place) => {
      const before = revisions[place + 1]?.document
      const fields = before ? fieldChanges(before, document).map(({ field }) => field) : []
      return {
        ...{ revision, by: by ?? '', path: `${path}/revisions/${revision}` },
        at: { machine: at.toString(), person: shortTime(at, zone) },
        changed: before ? summary(fields) : 'the first',
      }
    }),
    newest: upTo === undefined ? '' : `${path}#revisions`,
    older: oldest ? `${path}?revisions=${oldest.revision}#revisions` : '',
  }
}

function summary(fields: readonly string[]): string {
  if (fields.length === 0) return 'the order of its parts'
  const rest = fields.length - 3
  return rest > 0 ? `${fields.slice(0, 3).join(', ')} and ${rest} more` : fields.join(', ')
}
