import { reconcileIssue } from '../../../src/delivery/reconcile.ts'
import { findIssue } from '../../../src/issue/issue.ts'
import { bareSum, type Witnessed } from '../../setup/provider/witness.ts'
import type { Field, Reader } from './field.ts'

/** What a field came to, by the witness's log; the ledger only says what became of those who have no mail. */
export type Account = {
  readonly accepted: number
  readonly excluded: number
  readonly rejected: number
  readonly quarantined: number
  /** Readers with more than one mail (I1). */
  readonly duplicates: number
  /** Readers of whom the ledger cannot say what became of them (I3). */
  readonly unaccounted: number
  /** Whatever else breaks an invariant of RELIABILITY 3.7, in words. */
  readonly violations: readonly string[]
}

type Standing = { state: string; providerId: string | null; reason: string | null }

/** Holds the witness against the ledger. `gone` are readers who left while the issue was on its way, with the instant of the answer. */
export async function accountFor(
  field: Field,
  gone: ReadonlyMap<string, Temporal.Instant> = new Map(),
): Promise<Account> {
  const mails = Map.groupBy(field.provider.witnessed(), ({ to }) => to)
  const ledger = await standings(field)
  const readers = [...field.readers.values()]
  const count = (state: string) => readers.filter((one) => ledger.get(one.address)?.state === state).length
  const settled = ['accepted', 'excluded', 'rejected', 'quarantined']
  return {
    accepted: count('accepted'),
    excluded: count('excluded'),
    rejected: count('rejected'),
    quarantined: count('quarantined'),
    duplicates: [...mails.values()].filter((got) => got.length > 1).length,
    unaccounted: readers.filter((one) => !settled.includes(ledger.get(one.address)?.state ?? '')).length,
    violations: [
      ...strangers(field, mails),
      ...readers.flatMap((one) => disagreements(one, ledger.get(one.address), mails.get(one.address) ?? [])),
      ...readers.flatMap((one) => untrueReasons(one, ledger.get(one.address), gone)),
      ...(await claimedAfterLeaving(field, gone)),
      ...(await otherBytes(field)),
      ...(await wrongContents(field)),
      ...(await secondOpinion(field)),
    ],
  }
}

async function standings({ db, issue }: Field): Promise<ReadonlyMap<string, Standing>> {
  const rows = await db
    .selectFrom('delivery_state')
    .select(['address', 'state', 'reason', 'provider_id as providerId'])
    .where('issue_id', '=', issue.id)
    .execute()
  return new Map(rows.map((row) => [row.address ?? '', row]))
}

function strangers({ readers }: Field, mails: ReadonlyMap<string, readonly Witnessed[]>): readonly string[] {
  return [...mails.keys()].filter((to) => !readers.has(to)).map((to) => `${to} got a mail and was never to`)
}

/** I4: who is accepted in the ledger has exactly that mail; who is excluded or rejected has none; in quarantine it may be either. */
function disagreements(
  { address }: Reader,
  standing: Standing | undefined,
  got: readonly Witnessed[],
): readonly string[] {
  switch (standing?.state) {
    case 'accepted':
      if (got.length === 0) return [`I4: ${address} is accepted, and the provider never had the mail`]
      return got[0]?.id === standing.providerId ? [] : [`I4: ${address} has another id at the provider`]
    case 'excluded':
    case 'rejected':
      return got.length === 0 ? [] : [`I4: ${address} is ${standing.state}, and the provider took the mail`]
    default:
      return []
  }
}

function untrueReasons(
  { address }: Reader,
  standing: Standing | undefined,
  gone: ReadonlyMap<string, Temporal.Instant>,
): readonly string[] {
  if (standing?.state !== 'excluded' || (standing.reason === 'unsubscribed' && gone.has(address))) return []
  return [`I3: ${address} is excluded (${standing.reason}), which is not so`]
}

/** I2: no attempt that includes a reader began after the answer to their unsubscribe; nothing of theirs arrives long after it. */
async function claimedAfterLeaving(
  field: Field,
  gone: ReadonlyMap<string, Temporal.Instant>,
): Promise<readonly string[]> {
  const attempts = await field.db.selectFrom('attempt').select(['members', 'started_at']).execute()
  const last = new Map<number, Temporal.Instant>()
  for (const { members, started_at } of attempts)
    for (const id of members) {
      const before = last.get(id)
      if (!before || Temporal.Instant.compare(before, started_at) < 0) last.set(id, started_at)
    }
  const arrived = new Map(field.provider.witnessed().map(({ to, at }) => [to, Temporal.Instant.from(at)]))
  return [...gone].flatMap(([address, at]) => {
    const claimed = last.get(field.readers.get(address)?.id ?? 0)
    const mail = arrived.get(address)
    return [
      ...(claimed && isAfter(claimed, at) ? [`I2: ${address} was claimed after leaving`] : []),
      ...(mail && isAfter(mail, at.add({ seconds: 31 })) ? [`I2: ${address} got a mail after leaving`] : []),
    ]
  })
}

function isAfter(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) > 0
}

async function otherBytes({ provider }: Field): Promise<readonly string[]> {
  const stats = await provider.carryOut({})
  return stats.otherBytes === 0 ? [] : [`I5: ${stats.otherBytes} requests had other bytes under a known key`]
}

/** I8 and I10: the edition that was approved, with list headers and a link of the reader's own. */
async function wrongContents({ db, issue, provider }: Field): Promise<readonly string[]> {
  const editions = await db.selectFrom('edition').selectAll().where('issue_id', '=', issue.id).execute()
  const approved = editions.filter(({ hash, variant_of }) =>
    [hash, variant_of].includes(issue.approved_hash ?? issue.edition_hash),
  )
  const sums = new Set(approved.map(bareSum))
  const witnessed = provider.witnessed()
  const links = new Set(witnessed.map(({ unsubscribe }) => unsubscribe))
  return [
    ...witnessed.filter((mail) => !sums.has(mail.bareSha256)).map(({ to }) => `I8: ${to} got other words`),
    ...witnessed.filter((mail) => !hasListHeaders(mail)).map(({ to }) => `I10: ${to} got no way out`),
    ...(links.size === new Set(witnessed.map(({ to }) => to)).size
      ? []
      : ['I10: two readers share a link to leave by']),
  ]
}

function hasListHeaders({ headers, unsubscribe }: Witnessed): boolean {
  return (
    headers['List-Unsubscribe-Post'] === 'List-Unsubscribe=One-Click' &&
    headers['List-Id'] !== undefined &&
    unsubscribe !== null
  )
}

async function secondOpinion({ db, week }: Field): Promise<readonly string[]> {
  const issue = await findIssue(db, week)
  if (!issue) return ['the issue is gone']
  const { violations } = await reconcileIssue(db, issue)
  return violations.map(({ invariant, what }) => `reconcile (${invariant}): ${what}`)
}
