import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordDecision } from '../issue/decision.ts'
import { type Issue, lockIssue } from '../issue/issue.ts'
import { type Finding, judgements, type LineId } from '../issue/preflight/finding.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** Lengths of the reason, in characters; the table has the same. */
export const reasonLength = { least: 10, most: 500 } as const

/**
 * An editor lets a block pass, for the edition that they saw and no other, with their reason. Only where it is a
 * judgement; returns why it was refused, or undefined when it is done.
 */
export async function letPass(
  { db, clock }: Deps,
  week: string,
  { line, edition, reason }: { line: LineId; edition: string; reason: string },
  by: string,
): Promise<string | undefined> {
  if (!judgements.includes(line)) return 'That is a defect of the mail. It can only be mended.'
  return db.transaction().execute(async (trx) => {
    const issue = await lockIssue(trx, week)
    if (!issue || issue.planned_at !== null) return `${week} waits for nobody any more.`
    if (issue.edition_hash !== edition) return 'Its edition has changed since you saw it. Look at it again.'
    const at = clock()
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('preflight_acknowledgement')
      .values({ issue_id: issue.id, line, edition_hash: edition, by, reason, at })
      .onConflict((oc) => oc.columns(['issue_id', 'line', 'edition_hash']).doNothing())
      .executeTakeFirstOrThrow()
    if (numInsertedOrUpdatedRows === 1n)
      await recordDecision(trx, {
        at,
        by,
        what: 'let pass',
        issueId: issue.id,
        evidence: { line, reason, edition },
      })
    return undefined
  })
}

/** The findings, with every block that an editor let pass as a warning that says why. */
export async function withLetPass(
  db: Kysely<Database>,
  { id, edition_hash }: Issue,
  findings: readonly Finding[],
): Promise<readonly Finding[]> {
  if (edition_hash === null || findings.every(({ level }) => level !== 'block')) return findings
  const rows = await db
    .selectFrom('preflight_acknowledgement')
    .select(['line', 'reason'])
    .where('issue_id', '=', id)
    .where('edition_hash', '=', edition_hash)
    .execute()
  return findings.map((finding) => {
    const passed = rows.find(({ line }) => line === finding.id)
    if (finding.level !== 'block' || !passed || !judgements.includes(finding.id)) return finding
    return {
      ...{ ...finding, level: 'warn' as const, what: `${finding.what}; an editor lets it pass` },
      evidence: [...finding.evidence, `let pass: ${passed.reason}`],
    }
  })
}
