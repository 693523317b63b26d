import type { Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import { recordDecision } from './decision.ts'
import { type DraftDeps, draftAgain } from './draft.ts'
import {
  currentEdits,
  type EditRevision,
  editsAt,
  type HowEdited,
  latestEdits,
  stepsOf,
} from './edit-history.ts'
import { type IssueEdits, isSame, tidy } from './edits.ts'
import { changedFields, type FieldDiff, onTopOf, threeWayDiff } from './edits-diff.ts'
import { type Issue, lockIssue } from './issue.ts'
import { faultInQuotes } from './own-words.ts'

/** What saving came to. A `revision` is that of the edits as they stand now. */
export type SavedEdits =
  | {
      readonly kind: 'saved'
      readonly revision: number
      readonly at: Temporal.Instant
      readonly hash: string
      readonly state: IssueState
      readonly fields: readonly string[]
      /** Whose approval this edit took away, or gave back by coming to the approved edition again. */
      readonly approval: {
        readonly became: 'kept' | 'taken away' | 'given back' | 'none'
        readonly by: string
      }
    }
  | {
      readonly kind: 'unchanged'
      readonly revision: number
      readonly hash: string
      readonly state: IssueState
    }
  | ({ readonly kind: 'stale' } & Stale)
  | { readonly kind: 'refused'; readonly problem: string }

/** Somebody else saved since the editor looked: what either changed, and by whom, newest first. */
export type Stale = {
  readonly base: number
  readonly revision: number
  readonly diff: readonly FieldDiff[]
  readonly since: readonly EditRevision[]
}

type Given = {
  readonly edits: IssueEdits
  /** The revision that the editor had before them. */
  readonly base: number
  readonly by: string
  /** The newer revision that they have been told of, when theirs is to go on top of it. */
  readonly onto?: number | undefined
}

/**
 * Makes an editor's corrections the next revision, and sets the issue anew as of its cut-off. When somebody else saved
 * since, nothing is changed and the difference is told, unless `onto` says that the editor has seen it.
 */
export function saveEdits(deps: DraftDeps, week: string, given: Given): Promise<SavedEdits> {
  return whileLocked(deps, week, async (trx, issue) => {
    const now = await currentEdits(trx, issue.id)
    const mine = tidy(given.edits)
    if (now.revision === given.base)
      return append(trx, deps, issue, { how: 'edit', edits: mine, by: given.by })

    const base = await editsAt(trx, issue.id, given.base)
    if (!base) return refused(`There is no revision ${given.base} of ${week}. Open the page again.`)
    if (given.onto === now.revision) {
      const edits = tidy(onTopOf(base, mine, now.edits))
      return append(trx, deps, issue, { how: 'edit', edits, by: given.by })
    }
    const since = await latestEdits(trx, issue.id, { most: 5, since: given.base })
    return {
      ...{ kind: 'stale', base: given.base, revision: now.revision, since },
      diff: threeWayDiff(base, mine, now.edits),
    }
  })
}

/** Takes the newest revision back, or does again what was taken back: a new revision with the content of an earlier one. */
export function stepEdits(
  deps: DraftDeps,
  week: string,
  step: 'undo' | 'redo',
  { base, by }: { base: number; by: string },
): Promise<SavedEdits> {
  return whileLocked(deps, week, async (trx, issue) => {
    const to = (await stepsOf(trx, issue.id))[step]
    if (to === undefined) return refused(`There is nothing to ${step}.`)
    return goBack(trx, deps, issue, { to, how: step, base, by })
  })
}

/** Goes back to any earlier revision, 0 being the issue as it was generated. What came after it can be had again. */
export function backToRevision(
  deps: DraftDeps,
  week: string,
  to: number,
  { base, by }: { base: number; by: string },
): Promise<SavedEdits> {
  return whileLocked(deps, week, (trx, issue) => goBack(trx, deps, issue, { to, how: 'back', base, by }))
}

/** Why an issue's content can be corrected no more, or not yet; undefined while it can. */
export function whyNotEdited({ week, state, planned_at, edition_hash }: Issue): string | undefined {
  if (planned_at !== null) return `${week} is ${state}: its readers and its edition are fixed.`
  if (state === 'cancelled') return `${week} was cancelled.`
  return edition_hash === null
    ? `${week} is ${state}: there is no draft to correct. Draft it first.`
    : undefined
}

function whileLocked(
  deps: DraftDeps,
  week: string,
  edit: (trx: Transaction<Database>, issue: Issue) => Promise<SavedEdits>,
): Promise<SavedEdits> {
  return deps.db
    .transaction()
    .execute(async (trx) => {
      const issue = await lockIssue(trx, week)
      if (!issue) return refused(`There is no issue for ${week} yet.`)
      const problem = whyNotEdited(issue)
      return problem ? refused(`${problem} Nothing was changed.`) : edit(trx, issue)
    })
    .catch((error: unknown) => {
      if (error instanceof NotLikeThis) return refused(error.message)
      throw error
    })
}

async function goBack(
  trx: Transaction<Database>,
  deps: DraftDeps,
  issue: Issue,
  { to, how, base, by }: { to: number; how: Exclude<HowEdited, 'edit'>; base: number; by: string },
): Promise<SavedEdits> {
  const now = await currentEdits(trx, issue.id)
  const edits = await editsAt(trx, issue.id, to)
  if (!edits) return refused(`There is no revision ${to} of ${issue.week}.`)
  if (now.revision !== base) {
    const since = await latestEdits(trx, issue.id, { most: 5, since: base })
    const seen = (await editsAt(trx, issue.id, base)) ?? now.edits
    return { kind: 'stale', base, revision: now.revision, since, diff: threeWayDiff(seen, seen, now.edits) }
  }
  return append(trx, deps, issue, { how, restores: to, edits, by })
}

type Next = {
  readonly edits: IssueEdits
  readonly by: string
  readonly how: HowEdited
  readonly restores?: number
}

async function append(
  trx: Transaction<Database>,
  deps: DraftDeps,
  issue: Issue,
  { edits, by, how, restores }: Next,
): Promise<SavedEdits> {
  const before = await currentEdits(trx, issue.id)
  if (how === 'edit' && isSame(before.edits, edits))
    return {
      kind: 'unchanged',
      revision: before.revision,
      hash: issue.edition_hash ?? '',
      state: issue.state,
    }
  const drafted = await draftAgain(trx, deps, issue, edits)
  if (!drafted.edition) throw new NotLikeThis(`${upperFirst(drafted.reason ?? '')}. ${orElse}`)
  // What was good when it was typed can be had back: a quote that is not its reviewer's any more is not printed.
  const fault = how === 'edit' && faultInQuotes(drafted.chosen, before.edits, edits)
  if (fault) throw new NotLikeThis(fault)

  const { hash } = drafted.edition
  const revision = before.revision + 1
  const fields = changedFields(before.edits, edits)
  const approval = approvalAfter(issue, hash)
  const at = deps.clock()
  await trx
    .insertInto('issue_edits')
    .values({
      ...{ issue_id: issue.id, revision, at, by, how, restores: restores ?? null, fields: [...fields] },
      ...{ edits: JSON.stringify(edits), edition_hash: hash },
      took_approval_of: approval.became === 'taken away' ? approval.by : null,
    })
    .execute()
  const evidence = { revision, how, fields: fields.join(', '), edition: hash, approval: approval.became }
  await recordDecision(trx, { at, by, what: 'edit', issueId: issue.id, evidence })
  return { kind: 'saved', revision, at, hash, state: drafted.state, fields, approval }
}

const orElse = 'An issue needs something in it: hold it back or cancel it instead. Nothing was changed.'

function approvalAfter({ approved_hash, approved_by, edition_hash }: Issue, now: string) {
  const by = approved_by ?? ''
  if (approved_hash === null) return { became: 'none', by } as const
  if (edition_hash === approved_hash)
    return { became: now === approved_hash ? 'kept' : 'taken away', by } as const
  return { became: now === approved_hash ? 'given back' : 'none', by } as const
}

/** Takes the whole transaction back: what was asked for cannot be set. */
class NotLikeThis extends Error {}

function refused(problem: string): SavedEdits {
  return { kind: 'refused', problem }
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
