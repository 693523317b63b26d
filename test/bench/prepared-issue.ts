import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { personalise } from '../../src/delivery/personalise.ts'
import { loadEdition, openForSending } from '../../src/delivery/send.ts'
import { cutEdition } from '../../src/issue/edition.ts'
import { resendTransport } from '../../src/mail/resend.ts'
import { jsonOfMail } from '../../src/mail/resend-body.ts'
import { clockAt } from '../setup/clock.ts'
import { publish, sampleDocuments } from '../setup/comparisons.ts'
import { approvedIssue, newsletterWith } from '../setup/newsletter.ts'

/** As many confirmed readers as asked for, made by the database itself. */
export async function preparedReaders(db: Kysely<Database>, readers: number): Promise<void> {
  await sql`
    insert into subscriber (address, status, created_at, confirmed_at)
    select 'reader-' || lpad(n::text, 7, '0') || '@example.test', 'confirmed', '2026-01-05T12:00:00Z', '2026-01-05T12:00:00Z'
      from generate_series(1, ${readers}::int) n`.execute(db)
  await sql`vacuum analyze subscriber`.execute(db)
}

/** Week 47 with the six newest samples, approved, and its audience frozen: a typical issue. */
export async function approvedForSending(db: Kysely<Database>) {
  const clock = clockAt('2026-11-19T14:00:00Z')
  const transport = resendTransport({ apiKey: 're_bench', baseUrl: 'http://127.0.0.1:9' })
  const deps = newsletterWith({ db }, { clock, transport, comparisons: { least: 1, most: 6 } })
  for (const document of sampleDocuments().values()) await publish(db, document)
  const issue = await approvedIssue(deps)
  clock.moveTo('2026-11-20T14:00:00Z')
  const began = performance.now()
  const ready = await openForSending(deps, issue.week, { early: false })
  const seconds = (performance.now() - began) / 1000
  if (ready.kind !== 'ready') throw new Error(JSON.stringify(ready))
  await sql`vacuum analyze batch, delivery`.execute(db)
  const { size } = await db.selectFrom('batch').select('size').limit(1).executeTakeFirstOrThrow()
  const [key] = deps.keys
  if (!key) throw new Error('There is no signing key')
  const cut = cutEdition(await loadEdition(db, issue.edition_hash ?? ''))
  const reader = { publicId: '0b2c7a52-1111-4000-8000-000000000001', address: 'reader-0000001@example.test' }
  const mail = personalise({ ...deps, key }, cut, reader, { week: issue.week, batchId: reader.publicId })
  return {
    ...{ seconds, batchSize: size, publicUrl: deps.wire.publicUrl },
    bytesPerMail: Buffer.byteLength(jsonOfMail(mail)) + 1,
  }
}
