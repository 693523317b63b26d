import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type Doubt, lookInto } from '../../src/delivery/doubt.ts'
import { openResendAccount, type ResendAccount } from '../../src/mail/resend-account.ts'
import type { TestDatabase } from './database.ts'
import { type DueIssue, deliverThroughWaits, friday, lostAnswer, plannedIssue } from './delivery.ts'
import { type AccountMail, type FakeAccount, startFakeAccount } from './fake-account.ts'
import { openPostOffice, type PostOffice } from './post-office.ts'

/** The issue of week 47 whose one batch is in quarantine: the answer was lost, and the transport repeats no call. */
export async function issueInQuarantine(
  database: Pick<TestDatabase, 'db'>,
  taken: 'after they were taken' | 'before they were taken',
): Promise<DueIssue & { readonly batchId: string }> {
  const due = await plannedIssue(database, { mail: openPostOffice({ repeatable: false }) })
  due.mail.answerNext(lostAnswer(taken))
  await deliverThroughWaits(due)
  const batch = await database.db
    .selectFrom('batch')
    .select('id')
    .where('state', '=', 'quarantined')
    .executeTakeFirstOrThrow()
  return { ...due, batchId: batch.id }
}

/** The batch as it stands; an error when it is in no doubt. */
export async function doubtOf(db: Kysely<Database>, batchId: string): Promise<Doubt> {
  const doubt = await lookInto(db, batchId)
  if (!doubt) throw new Error(`Batch ${batchId} is in no doubt`)
  return doubt
}

/** A webhook that told of a mail of this batch. */
export async function heard(
  db: Kysely<Database>,
  batchId: string,
  readers: readonly { readonly publicId: string }[],
  type = 'email.delivered',
): Promise<void> {
  for (const { publicId } of readers)
    await db
      .insertInto('provider_event')
      .values({
        ...{ svix_id: `${type}-${batchId}-${publicId}`, type, email_id: `id-2026-W47.${publicId}` },
        ...{ batch_id: batchId, subscriber_public_id: publicId },
        ...{ occurred_at: Temporal.Instant.from(friday), received_at: Temporal.Instant.from(friday) },
        body: JSON.stringify({}),
      })
      .execute()
}

/** What a post office accepted, as an account would have it, all at one instant. */
export function accountMails(mail: PostOffice, at = friday): readonly AccountMail[] {
  return mail.accepted.map(({ id, to, subject, tags }) => ({
    ...{ id: `id-${id}`, at, key: `key-of-${tags.batch}`, to, subject, tags },
  }))
}

/** The real client on a fake account. */
export async function openAccount(
  mails: () => readonly AccountMail[],
  options: Parameters<typeof startFakeAccount>[1] = {},
): Promise<{ account: ResendAccount; server: FakeAccount }> {
  const server = await startFakeAccount(mails, options)
  return { server, account: openResendAccount({ fullAccessKey: 're_full', baseUrl: server.url }) }
}
