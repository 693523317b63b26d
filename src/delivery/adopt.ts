import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { recordDecision } from '../issue/decision.ts'
import { type EpochDeps, markLedger, theInstallation, whatIsWrong } from './epoch.ts'
import { placeOf } from './ledger-place.ts'
import { settleIssue } from './settle.ts'

/** `quarantined`: batches that may have been sent since; `parked`: weeks that may have been sent. */
export type Adopted =
  | { readonly kind: 'nothing to adopt' }
  | {
      readonly kind: 'adopted'
      readonly found: string
      readonly quarantined: number
      readonly parked: readonly string[]
    }

/**
 * Lets a database send that is not what it was. Unless somebody vouches that `nothingIsMissing`, its ledger may lack
 * whatever happened since it was copied, and no unfinished batch is provably unsent: it may have gone out under this
 * key, or, halved or tried anew, under keys that this ledger has never heard of. So every unfinished batch goes into
 * quarantine, and every issue that was drafted, or due by now, and is not planned waits for an editor.
 */
export async function adoptDatabase(
  deps: EpochDeps,
  { by, nothingIsMissing }: { by: string; nothingIsMissing: boolean },
): Promise<Adopted> {
  const { db, clock } = deps
  const found = await whatIsWrong(deps)
  if (!found) return { kind: 'nothing to adopt' }

  const adopted = await db.transaction().execute(async (trx) => {
    const at = clock()
    const before = await theInstallation(trx)
    const place = (await placeOf(trx)) ?? null
    await sql`
      update installation set ancestors = ancestors || id, id = gen_random_uuid(), place = ${place}`.execute(
      trx,
    )
    const quarantined = nothingIsMissing ? 0 : await quarantineUnfinished(trx, deps, at)
    const parked = nothingIsMissing ? [] : await parkWhatWasDue(trx, at)
    const evidence = { found, before: before.place, now: place, nothingIsMissing, quarantined, parked }
    await recordDecision(trx, { at, by, what: 'adopt database', evidence })
    return { kind: 'adopted' as const, found, quarantined, parked }
  })
  await markLedger(deps)
  return adopted
}

async function quarantineUnfinished(
  trx: Transaction<Database>,
  { clock }: Pick<EpochDeps, 'clock'>,
  at: Temporal.Instant,
): Promise<number> {
  const { rows } = await sql<{ id: string; issue: number }>`
    update batch set state = 'quarantined', lease_owner = null, lease_until = null, not_before = null,
           reason = 'this database is a copy: the batch may have been sent since'
     where state in ('built', 'attempting', 'unknown')
       and issue_id in (select id from issue where state in ('sending', 'paused'))
    returning id, issue_id as issue`.execute(trx)
  await sql`
    update attempt set finished_at = ${at.toString()}::timestamptz, outcome = 'unknown',
           reason = 'this database is a copy'
     where outcome is null and batch_id = any (${rows.map(({ id }) => id)}::uuid[])`.execute(trx)
  for (const issue of new Set(rows.map((row) => row.issue))) await settleIssue(trx, clock, issue)
  return rows.length
}

/**
 * They may have been planned and sent by the ledger that is lost, those to come ahead of their time: `send --now` and
 * `release` say that they were not. A week that is only scheduled and still to come goes on.
 */
async function parkWhatWasDue(db: Kysely<Database>, at: Temporal.Instant): Promise<readonly string[]> {
  const reason = 'this database is a copy, and it may have been sent since'
  const due = await db
    .updateTable('issue')
    .set({ state: 'missed', reason })
    .where('state', 'in', ['scheduled', 'draft', 'approved', 'held'])
    .where('due_at', '<=', at)
    .returning('week')
    .execute()
  const toCome = await db
    .updateTable('issue')
    .set({ state: 'held', reason: `held: ${reason}` })
    .where('state', 'in', ['draft', 'approved', 'held'])
    .where('due_at', '>', at)
    .returning('week')
    .execute()
  return [...due, ...toCome].map(({ week }) => week).sort()
}
