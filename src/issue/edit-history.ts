import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type IssueEdits, issueEdits, noEdits } from './edits.ts'

/** How a revision came to be: typed, or taken back from an earlier one. */
export type HowEdited = 'edit' | 'undo' | 'redo' | 'back'

/** One revision of an issue's edits: who made it, when, and what it changed. Revision 0 is the issue as generated, by nobody. */
export type EditRevision = {
  readonly revision: number
  readonly at: Temporal.Instant
  readonly by: string
  readonly how: HowEdited
  /** The revision that has the same content; null for an edit. */
  readonly restores: number | null
  readonly fields: readonly string[]
  readonly edition_hash: string
  readonly took_approval_of: string | null
}

/** The edits of an issue as they stand, with the number of their revision: 0 while nobody edited it. */
export async function currentEdits(
  db: Kysely<Database>,
  issueId: number,
): Promise<{ readonly revision: number; readonly edits: IssueEdits }> {
  const row = await db
    .selectFrom('issue_edits')
    .select(['revision', 'edits'])
    .where('issue_id', '=', issueId)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row
    ? { revision: row.revision, edits: issueEdits.parse(row.edits) }
    : { revision: 0, edits: noEdits }
}

/** The edits at a revision; undefined when there is no such revision. */
export async function editsAt(
  db: Kysely<Database>,
  issueId: number,
  revision: number,
): Promise<IssueEdits | undefined> {
  if (revision === 0) return noEdits
  const row = await db
    .selectFrom('issue_edits')
    .select('edits')
    .where('issue_id', '=', issueId)
    .where('revision', '=', revision)
    .executeTakeFirst()
  return row && issueEdits.parse(row.edits)
}

/** The newest revisions of an issue's edits, newest first; those after `since` where it is given. */
export function latestEdits(
  db: Kysely<Database>,
  issueId: number,
  { most, since = 0 }: { most: number; since?: number },
): Promise<readonly EditRevision[]> {
  return db
    .selectFrom('issue_edits')
    .select(['revision', 'at', 'by', 'how', 'restores', 'fields', 'edition_hash', 'took_approval_of'])
    .where('issue_id', '=', issueId)
    .where('revision', '>', since)
    .orderBy('revision', 'desc')
    .limit(most)
    .execute()
}

/** What undo and redo would go to, as revisions; undefined where there is nothing. */
export type Steps = { readonly undo: number | undefined; readonly redo: number | undefined }

/** Where undo and redo lead from the newest revision. */
export async function stepsOf(db: Kysely<Database>, issueId: number): Promise<Steps> {
  const rows = await db
    .selectFrom('issue_edits')
    .select(['revision', 'how', 'restores'])
    .where('issue_id', '=', issueId)
    .orderBy('revision')
    .execute()
  return replay(rows)
}

/** Goes through a history as an editor's program would: what was done, what was taken back, what can be done again. */
export function replay(rows: readonly Pick<EditRevision, 'revision' | 'how' | 'restores'>[]): Steps {
  const done = [0]
  let undone: number[] = []
  for (const { revision, how, restores } of rows) {
    switch (how) {
      case 'edit':
      case 'back':
        done.push(restores ?? revision)
        undone = []
        break
      case 'undo':
        undone.push(done.pop() ?? 0)
        break
      case 'redo':
        done.push(undone.pop() ?? revision)
    }
  }
  return { undo: done.at(-2), redo: undone.at(-1) }
}
