import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordDecision } from '../issue/decision.ts'
import { lookInto } from './doubt.ts'
import { summaryOf } from './quarantine.ts'
import { acceptBatch, lockDoubt } from './resolve.ts'
import { settleIssue } from './settle.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/**
 * Records as accepted every batch in doubt, also one that met a conflict, of which webhooks have told about each reader's
 * mail (RELIABILITY 3.5). Returns how many. Safe to run at any time, often, and in several processes.
 */
export async function confirmByEvidence({ db, clock }: Deps): Promise<number> {
  let confirmed = 0
  for (const batchId of await heardOf(db)) {
    const doubt = await lookInto(db, batchId)
    if (!doubt || doubt.members.length === 0 || doubt.members.some(({ proof }) => proof === null)) continue
    await db.transaction().execute(async (trx) => {
      if (!(await lockDoubt(trx, doubt))) return
      const at = clock()
      await acceptBatch(trx, doubt, at)
      const about = { issueId: doubt.issueId, batchId, evidence: summaryOf(doubt) }
      await recordDecision(trx, { at, by: 'webhooks', what: 'confirm', ...about })
      await settleIssue(trx, clock, doubt.issueId)
      confirmed += 1
    })
  }
  return confirmed
}

async function heardOf(db: Kysely<Database>): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select b.id from batch b
     where b.state in ('unknown', 'quarantined')
       and exists (select from provider_event e where e.batch_id = b.id)
     order by b.id`.execute(db)
  return rows.map(({ id }) => id)
}
