import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { ResendAccount, Span } from '../mail/resend-account.ts'
import type { Doubt, DoubtfulMember } from './doubt.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly now: Temporal.Instant
  readonly account: Pick<ResendAccount, 'mails' | 'acceptedCalls'>
}

/** Clocks differ, and an answer may be long in coming. */
const margin = Temporal.Duration.from('PT3M')

/** For this long after a call its line in the log may still be missing. */
const settling = Temporal.Duration.from('PT15M')

/**
 * Adds what Resend's own log says of a batch in doubt: the call that carried it gives every reader's id; a log that
 * reaches back beyond the first attempt and has no such call proves that nothing was taken. Where the log does not say,
 * its list of mails is asked for the readers' addresses with this subject since then.
 */
export async function askProvider({ db, now, account }: Deps, doubt: Doubt): Promise<Doubt> {
  const { calls, isComplete } = await account.acceptedCalls(spansOf(doubt, now))
  const mails = calls.flatMap((call) => call.mails.filter(({ batchId }) => batchId === doubt.batchId))
  const byLog = new Map(mails.map(({ publicId, providerId }) => [publicId, providerId]))
  if (byLog.size > 0) return proved(doubt, 'took it', 'log', ({ publicId }) => byLog.get(publicId))

  const byList = await listed({ db, now, account }, doubt)
  if (byList.size > 0)
    return proved(doubt, 'cannot tell', 'list', ({ address }) => byList.get(address?.toLowerCase() ?? ''))
  return { ...doubt, provider: isComplete && isLongAgo(doubt, now) ? 'did not take it' : 'cannot tell' }
}

/** When the calls of its attempts may have arrived. */
function spansOf({ attempts }: Doubt, now: Temporal.Instant): readonly Span[] {
  return attempts.map(({ started_at, finished_at }) => ({
    from: started_at.subtract(margin),
    to: (finished_at ?? now).add(margin),
  }))
}

async function listed({ db, account }: Deps, doubt: Doubt): Promise<ReadonlyMap<string, string>> {
  const since = doubt.attempts[0]?.started_at ?? doubt.plannedAt
  const found = new Map<string, string>()
  if (since === null) return found
  const { subject } = await db
    .selectFrom('edition')
    .select('subject')
    .where('hash', '=', doubt.editionHash)
    .executeTakeFirstOrThrow()
  const addresses = new Set(doubt.members.flatMap(({ address }) => address?.toLowerCase() ?? []))
  for await (const page of account.mails(since.subtract(margin)))
    for (const mail of page)
      if (mail.subject === subject && addresses.has(mail.to)) found.set(mail.to, mail.id)
  return found
}

function proved(
  doubt: Doubt,
  provider: Doubt['provider'],
  proof: 'log' | 'list',
  idOf: (member: DoubtfulMember) => string | undefined,
): Doubt {
  const members = doubt.members.map((member) => {
    const providerId = member.providerId ?? idOf(member)
    return providerId === undefined || member.proof !== null ? member : { ...member, providerId, proof }
  })
  return { ...doubt, provider, members }
}

/** Without any attempt in the tables nobody knows when the call was made, if there was one. */
function isLongAgo({ attempts }: Doubt, now: Temporal.Instant): boolean {
  const last = attempts.at(-1)
  return last?.finished_at != null && Temporal.Instant.compare(last.finished_at.add(settling), now) <= 0
}
