import { type Kysely, sql } from 'kysely'
import type { Database, DeliveryOutcome } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import type { ListedMail, ResendAccount } from '../mail/resend-account.ts'

/** A mail of which the ledger and the provider do not say the same; `batchId` is null when no batch is about it. */
export type Difference = { readonly batchId: string | null; readonly what: string }

/** `listed`: how many mails of this issue the provider has. */
export type Comparison = { readonly listed: number; readonly differences: readonly Difference[] }

type Deps = {
  readonly db: Kysely<Database>
  readonly account: Pick<ResendAccount, 'mails'>
  /** Called after each page of the provider's list. */
  readonly onPage?: (listed: number) => void
}

/** Clocks differ. */
const margin = Temporal.Duration.from('PT5M')

/**
 * Compares an issue's ledger with the provider's own list, mail by mail (RELIABILITY 3.7, I4): what only the one has, what
 * only the other has, and every reader with two. A mail of the issue is one with its subject, since it was planned.
 */
export async function compareWithProvider(deps: Deps, issue: Issue): Promise<Comparison> {
  const { db, account } = deps
  if (issue.planned_at === null) return { listed: 0, differences: [] }
  const subjects = await subjectsOf(db, issue)
  const differences: Difference[] = []
  const seen = new Set<string>()
  const readers = new Set<number>()
  const strangers: ListedMail[] = []
  for await (const page of account.mails(issue.planned_at.subtract(margin))) {
    const mails = page.filter(({ subject }) => subjects.has(subject))
    const deliveries = await deliveriesTo(db, issue, mails)
    for (const mail of mails) {
      seen.add(mail.id)
      const delivery = deliveries.get(mail.to)
      if (!delivery) strangers.push(mail)
      else {
        differences.push(...notInLedger(mail, delivery, readers.has(delivery.reader)))
        readers.add(delivery.reader)
      }
    }
    deps.onPage?.(seen.size)
  }
  for await (const { batchId, reader, providerId } of acceptedMails(db, issue)) {
    const isThere = providerId === null ? readers.has(reader) : seen.has(providerId)
    if (!isThere) differences.push({ batchId, what: notAtProvider(batchId, reader, providerId) })
  }
  const erased = await knownIds(db, issue, strangers)
  for (const { id } of strangers.filter((mail) => !erased.has(mail.id)))
    differences.push({
      batchId: null,
      what: `mail ${id} is at the provider, and its address is not in this issue`,
    })
  return { listed: seen.size, differences }
}

async function subjectsOf(db: Kysely<Database>, issue: Issue): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('edition').select('subject').where('issue_id', '=', issue.id).execute()
  return new Set(rows.map(({ subject }) => subject))
}

type Delivered = {
  readonly address: string
  readonly reader: number
  readonly batchId: string | null
  readonly state: DeliveryOutcome
  readonly providerId: string | null
}

async function deliveriesTo(
  db: Kysely<Database>,
  issue: Issue,
  mails: readonly ListedMail[],
): Promise<ReadonlyMap<string, Delivered>> {
  const addresses = mails.map(({ to }) => to)
  const { rows } = await sql<Delivered>`
    select address, subscriber_id as reader, batch_id as "batchId", state, provider_id as "providerId"
      from delivery_state
     where issue_id = ${issue.id} and address = any (${addresses}::text[])`.execute(db)
  return new Map(rows.map((row) => [row.address, row]))
}

/** What the provider has and the ledger has not, or has otherwise. */
function notInLedger(mail: ListedMail, delivery: Delivered, isSecond: boolean): readonly Difference[] {
  const { batchId, reader, state, providerId } = delivery
  const where = batchId === null ? 'no batch' : `batch ${batchId}`
  if (isSecond) return [{ batchId, what: `mail ${mail.id} is a second one to reader ${reader} of ${where}` }]
  if (state !== 'accepted')
    return [
      {
        batchId,
        what: `mail ${mail.id} to reader ${reader} is at the provider, but ${where} has it as ${state}`,
      },
    ]
  if (providerId !== null && providerId !== mail.id)
    return [
      {
        batchId,
        what: `mail ${mail.id} to reader ${reader} is at the provider, but ${where} has it as mail ${providerId}`,
      },
    ]
  return []
}

function notAtProvider(batchId: string, reader: number, providerId: string | null): string {
  const mail = providerId === null ? 'a mail' : `mail ${providerId}`
  return `${mail} to reader ${reader} was accepted, says batch ${batchId}, but the provider does not list it`
}

type Accepted = { readonly batchId: string; readonly reader: number; readonly providerId: string | null }

/** A batch at a time: memory does not grow with the issue. */
async function* acceptedMails(db: Kysely<Database>, issue: Issue): AsyncGenerator<Accepted> {
  const batches = await db
    .selectFrom('batch')
    .select('id')
    .where('issue_id', '=', issue.id)
    .where('state', '=', 'accepted')
    .orderBy('ordinal')
    .orderBy('id')
    .execute()
  for (const { id } of batches) {
    const { rows } = await sql<Accepted>`
      select batch_id as "batchId", subscriber_id as reader, provider_id as "providerId" from delivery_state
       where issue_id = ${issue.id} and batch_id = ${id} and state = 'accepted' order by slot`.execute(db)
    yield* rows
  }
}

/** Erased readers have no address any more; their mails are known by the id. */
async function knownIds(
  db: Kysely<Database>,
  issue: Issue,
  mails: readonly ListedMail[],
): Promise<ReadonlySet<string>> {
  if (mails.length === 0) return new Set()
  const { rows } = await sql<{ id: string }>`
    select p as id from batch b cross join unnest(b.provider_ids) p
     where b.issue_id = ${issue.id} and p = any (${mails.map(({ id }) => id)}::text[])`.execute(db)
  return new Set(rows.map(({ id }) => id))
}
