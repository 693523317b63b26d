import type { Kysely, Transaction } from 'kysely'
import type { Database, IssueState } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { recordDecision } from '../issue/decision.ts'
import type { Doubt, DoubtfulMember } from './doubt.ts'
import { acceptBatch, buildAnew, dropBatch, lockDoubt, splitOffAccepted } from './resolve.ts'
import { settleIssue } from './settle.ts'
import { whatToKnow } from './what-to-know.ts'

/** What a person may do with a quarantined batch: it was sent; send it again to those without evidence; leave it. */
export type Verb = 'confirm' | 'resend' | 'drop'

/** `withoutId`: of the accepted, those whose id at the provider nobody knows. `warned`: `yes` would have done it. */
export type Resolved =
  | {
      readonly ok: true
      readonly week: string
      readonly issueState: IssueState
      readonly accepted: number
      readonly withoutId: number
      readonly again: number
      readonly excluded: number
    }
  | { readonly ok: false; readonly warned: boolean; readonly problem: string }

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/**
 * Carries out what a person decided about a quarantined batch, with the evidence they had before them; readers with
 * evidence are recorded as accepted whatever the verb. What may bring a reader two mails, or none, is refused in plain
 * words until `yes` says that this was read.
 */
export async function resolveBatch(
  { db, clock }: Deps,
  doubt: Doubt,
  verb: Verb,
  { by, yes }: { by: string; yes: boolean },
): Promise<Resolved> {
  const refusal = whyNot(doubt, verb)
  if (refusal) return { ok: false, warned: false, problem: refusal }
  const warning = whatToKnow(doubt, verb, clock())
  if (warning && !yes) return { ok: false, warned: true, problem: warning }

  return db.transaction().execute(async (trx): Promise<Resolved> => {
    if (!(await lockDoubt(trx, doubt)))
      return { ok: false, warned: false, problem: `${doubt.batchId} has just changed. Look again.` }
    const at = clock()
    await carryOut(trx, doubt, verb, at)
    const evidence = { ...summaryOf(doubt), yes }
    await recordDecision(trx, {
      at,
      by,
      what: verb,
      issueId: doubt.issueId,
      batchId: doubt.batchId,
      evidence,
    })
    return { ok: true, ...countsOf(doubt, verb), issueState: await settleIssue(trx, clock, doubt.issueId) }
  })
}

/** What can be done with a batch, as it stands and by what is known of it. */
export function verbsFor(doubt: Doubt): readonly Verb[] {
  const verbs: readonly Verb[] = ['confirm', 'resend', 'drop']
  return verbs.filter((verb) => whyNot(doubt, verb) === undefined)
}

/** What spoke for and against, in counts, for the record of decisions. */
export function summaryOf(doubt: Doubt) {
  return {
    ...{ readers: doubt.members.length, withEvidence: withEvidence(doubt).length, provider: doubt.provider },
    ...{ reason: doubt.reason, generation: doubt.generation, attempts: doubt.attempts.length },
    events: doubt.events,
  }
}

async function carryOut(
  trx: Transaction<Database>,
  doubt: Doubt,
  verb: Verb,
  at: Temporal.Instant,
): Promise<void> {
  const without = doubt.members.filter(({ proof }) => proof === null)
  switch (verb) {
    case 'confirm':
      return acceptBatch(trx, doubt, at)
    case 'resend':
      await splitOffAccepted(trx, doubt, withEvidence(doubt), at)
      return buildAnew(trx, doubt)
    case 'drop':
      await splitOffAccepted(trx, doubt, withEvidence(doubt), at)
      return dropBatch(trx, doubt, without)
  }
}

function whyNot(doubt: Doubt, verb: Verb): string | undefined {
  const { batchId, state, members, week, issueState } = doubt
  if (state !== 'quarantined')
    return `Batch ${batchId} is still being tried: it is not in quarantine. Look again: verdict quarantine list ${week}`
  if (verb !== 'confirm' && members.length > 0 && withEvidence(doubt).length === members.length)
    return `Every reader of batch ${batchId} has this mail, as the evidence shows. Record that: verdict quarantine confirm ${batchId}`
  if (verb === 'resend' && issueState === 'cancelled')
    return `${week} was cancelled: nothing of it is sent any more. Record what happened with confirm, or leave it with drop.`
}

function countsOf(doubt: Doubt, verb: Verb) {
  const { members, week } = doubt
  const known = withEvidence(doubt).length
  const rest = members.length - known
  return {
    week,
    accepted: verb === 'confirm' ? members.length : known,
    withoutId: verb === 'confirm' ? rest : 0,
    again: verb === 'resend' ? rest : 0,
    excluded: verb === 'drop' ? rest : 0,
  }
}

function withEvidence({ members }: Doubt): readonly DoubtfulMember[] {
  return members.filter(({ proof }) => proof !== null)
}
