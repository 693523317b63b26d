import type { Hono } from 'hono'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../../../db/schema.ts'
import { loadEdition } from '../../delivery/send.ts'
import { diffEditions, type EditionDiff } from '../../issue/edition-diff.ts'
import type { Issue } from '../../issue/issue.ts'
import { linkTargets } from '../../issue/links.ts'
import type { DiffPart } from '../../verdict/word-diff.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { issueNamed } from './issue-named.ts'
import { deskNotFound, deskPage } from './page.ts'
import { grouped } from './when.ts'

const query = z.object({
  against: z
    .string()
    .regex(/^(?:\d{4}-W\d{2}|approved)$/)
    .optional()
    .catch(undefined),
})
const offered = 12

/** `GET /desk/issues/:week/diff`: an issue's edition against an earlier issue's, or against the one that was approved. */
export function diffRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk().get('/desk/issues/:week/diff', async (c) => {
    const issue = await issueNamed(deps, c.req.param('week'))
    if (!issue?.edition_hash) return deskNotFound(c, deps, 'There is no edition to compare.')
    const others = await othersOf(deps.db, issue)
    const asked = query.parse(c.req.query()).against
    const chosen = asked === undefined ? others[0] : await otherNamed(deps, issue, asked)
    return deskPage(c, deps, 'desk-diff', {
      ...{ section: 'issues', title: `What is different in ${issue.week}` },
      status: asked !== undefined && !chosen ? 404 : 200,
      data: {
        ...{
          week: issue.week,
          page: `/desk/issues/${issue.week}`,
          isUnknown: asked !== undefined && !chosen,
        },
        others: others.map((one) => ({ ...one, isChosen: one.name === chosen?.name })),
        against: chosen?.label ?? '',
        diff: chosen ? viewOf(await diffOf(deps, issue, issue.edition_hash, chosen)) : undefined,
      },
    })
  })
}

/** Something to compare with: `name` as the address has it. */
type Other = {
  readonly name: string
  readonly label: string
  readonly hash: string
  readonly issueId: number
}

/** What was approved, where that is another edition; then the issues before this one, the newest first. */
async function othersOf(db: Kysely<Database>, issue: Issue): Promise<readonly Other[]> {
  const earlier = await db
    .selectFrom('issue')
    .select(['id', 'week', 'edition_hash'])
    .where('week', '<', issue.week)
    .where('edition_hash', 'is not', null)
    .where('state', '<>', 'cancelled')
    .orderBy('week', 'desc')
    .limit(offered)
    .execute()
  return [...approvedOf(issue), ...earlier.flatMap(asOther)]
}

function approvedOf({ id, approved_hash, edition_hash, approved_by }: Issue): readonly Other[] {
  if (approved_hash === null || approved_hash === edition_hash) return []
  const label = `the edition that ${approved_by ?? 'somebody'} approved`
  return [{ name: 'approved', label, hash: approved_hash, issueId: id }]
}

function asOther({ id, week, edition_hash }: Pick<Issue, 'id' | 'week' | 'edition_hash'>): readonly Other[] {
  return edition_hash === null ? [] : [{ name: week, label: week, hash: edition_hash, issueId: id }]
}

async function otherNamed(deps: DeskDeps, issue: Issue, name: string): Promise<Other | undefined> {
  if (name === 'approved') return approvedOf(issue)[0]
  const other = await issueNamed(deps, name)
  return other && other.id !== issue.id ? asOther(other)[0] : undefined
}

async function diffOf(
  { db, wire: { publicUrl } }: DeskDeps,
  issue: Issue,
  hash: string,
  other: Other,
): Promise<EditionDiff> {
  const [before, after] = [await loadEdition(db, other.hash), await loadEdition(db, hash)]
  const [then, now] = [await linkTargets(db, other.issueId), await linkTargets(db, issue.id)]
  return diffEditions({ edition: before, links: then }, { edition: after, links: now }, { publicUrl })
}

function viewOf(diff: EditionDiff) {
  const isOther = diff.outline.some(({ kind }) => kind !== 'same')
  return {
    isSame: diff.isSame,
    inbox: [
      { field: 'Subject', parts: diff.subject.map(partView) },
      { field: 'Preheader', parts: diff.preheader.map(partView) },
    ],
    figures: diff.figures.map(({ what, before, after }) => ({
      ...{ what, before: grouped(before), after: grouped(after), change: signed(after - before) },
    })),
    ...{ isOtherOutline: isOther, outline: diff.outline.map(outlineView) },
    links: [
      { label: 'Only in this edition', targets: diff.links.added.map(targetView), mark: 'added' },
      { label: 'No longer in it', targets: diff.links.removed.map(targetView), mark: 'removed' },
      { label: 'In both', targets: diff.links.same.map(targetView), mark: '' },
    ].map((group) => ({ ...group, count: grouped(group.targets.length) })),
    text: diff.text
      .filter(isSaid)
      .map((stretch) =>
        stretch.kind === 'same'
          ? { ...{ isSame: true, text: stretch.text, parts: [] }, lines: linesOf(stretch.lines) }
          : { ...{ isSame: false, text: '', lines: '' }, parts: stretch.parts.map(partView) },
      ),
  }
}

/** Empty lines alone are nothing to show. */
function isSaid(stretch: EditionDiff['text'][number]): boolean {
  if (stretch.kind === 'same') return stretch.text.trim() !== ''
  return stretch.parts.some(({ text }) => text.trim() !== '')
}

/** White space that came or went is nothing to read out. */
function partView({ kind, text }: DiffPart) {
  const isWord = text.trim() !== ''
  return { text, isAdded: isWord && kind === 'added', isRemoved: isWord && kind === 'removed' }
}

function outlineView({ kind, depth, text }: EditionDiff['outline'][number]) {
  return { ...partView({ kind, text }), depth: String(Math.min(depth, 4)) }
}

function targetView(target: string): string {
  return target.startsWith('reader:') ? `the reader’s own: ${target.slice('reader:'.length)}` : target
}

function linesOf(count: number): string {
  return count === 1 ? '1 line the same' : `${grouped(count)} lines the same`
}

function signed(change: number): string {
  if (change === 0) return 'the same'
  return change > 0 ? `+${grouped(change)}` : `−${grouped(-change)}`
}
