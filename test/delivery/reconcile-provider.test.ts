import { describe, expect, it, onTestFinished } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { resolveBatch } from '../../src/delivery/quarantine.ts'
import { compareWithProvider } from '../../src/delivery/reconcile-provider.ts'
import { findIssue } from '../../src/issue/issue.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { useDatabase } from '../setup/database.ts'
import { batches, type DueIssue, dueIssue, friday, thursday } from '../setup/delivery.ts'
import { accountMails, doubtOf, issueInQuarantine, openAccount } from '../setup/doubt.ts'
import type { AccountMail } from '../setup/fake-account.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()

describe('the ledger beside the provider’s own list', () => {
  it('agrees after a plain send, over as many pages as there are, also about a reader who was erased', async () => {
    await people.crowd(database.db, 249)
    const ann = await people.ann(database.db)
    const due = await sentIssue()
    await eraseReader({ ...due.deps, keys: testKeys }, ann.publicId, 'page')

    expect(await comparedWith(accountMails(due.mail))).toEqual({ listed: 250, differences: [] })
  })

  it('names the mail that only the ledger has, and its batch', async () => {
    const ann = await people.ann(database.db)
    const due = await sentIssue()
    const [batch] = await batches(database.db)

    expect(await comparedWith([])).toEqual({
      listed: 0,
      differences: [
        {
          batchId: batch?.id,
          what: `mail id-2026-W47.${ann.publicId} to reader ${ann.id} was accepted, says batch ${batch?.id}, but the provider does not list it`,
        },
      ],
    })
    expect(due.mail.accepted).toHaveLength(1)
  })

  it('names the mails that only the provider has, and the batch in quarantine', async () => {
    const ann = await people.ann(database.db)
    const due = await issueInQuarantine(database, 'after they were taken')

    const { differences } = await comparedWith(accountMails(due.mail))

    expect(differences).toEqual([
      {
        batchId: due.batchId,
        what: `mail id-2026-W47.${ann.publicId} to reader ${ann.id} is at the provider, but batch ${due.batchId} has it as quarantined`,
      },
    ])
  })

  it('names the second mail of a reader', async () => {
    const ann = await people.ann(database.db)
    const due = await sentIssue()
    const mails = accountMails(due.mail)
    const [batch] = await batches(database.db)

    const { differences } = await comparedWith([
      ...mails,
      ...mails.map((mail) => ({ ...mail, id: 'a-second-mail', at: '2026-11-20T15:00:00Z' })),
    ])

    expect(differences.map(({ batchId }) => batchId)).toEqual([batch?.id, batch?.id])
    expect(differences.map(({ what }) => what).join('\n')).toMatch(
      new RegExp(`mail a-second-mail .*\\n.*is a second one to reader ${ann.id}`),
    )
  })

  it('agrees about a batch that was confirmed without ids, if the provider has its mails', async () => {
    await people.ann(database.db)
    const due = await issueInQuarantine(database, 'after they were taken')
    const confirmed = { by: 'olga', yes: true }
    await resolveBatch(due.deps, await doubtOf(database.db, due.batchId), 'confirm', confirmed)

    expect((await comparedWith(accountMails(due.mail))).differences).toEqual([])
    expect((await comparedWith([])).differences).toMatchObject([{ batchId: due.batchId }])
  })

  it('leaves aside what is not this issue: another subject, and what came before', async () => {
    await people.ann(database.db)
    const due = await sentIssue()
    const mails = accountMails(due.mail)

    const { listed, differences } = await comparedWith([
      ...mails,
      ...mails.map((mail) => ({ ...mail, id: 'a-test', subject: `[Test] ${mail.subject}` })),
      ...mails.map((mail) => ({ ...mail, id: 'a-rehearsal', at: thursday })),
    ])

    expect({ listed, differences }).toEqual({ listed: 1, differences: [] })
  })

  it('names a mail to an address that is not in the issue', async () => {
    await people.ann(database.db)
    const due = await sentIssue()
    const mails = accountMails(due.mail)

    const { differences } = await comparedWith([
      ...mails,
      ...mails.map((mail) => ({ ...mail, id: 'to-zoe', to: 'zoe@example.test' })),
    ])

    expect(differences).toEqual([
      { batchId: null, what: 'mail to-zoe is at the provider, and its address is not in this issue' },
    ])
  })
})

async function sentIssue(): Promise<DueIssue> {
  const due = await dueIssue(database)
  await sendIssue(due.deps, '2026-W47')
  expect(due.clock().toString()).toBe(friday)
  return due
}

async function comparedWith(mails: readonly AccountMail[]) {
  const { account, server } = await openAccount(() => mails)
  onTestFinished(() => server.close())
  const issue = await findIssue(database.db, '2026-W47')
  if (!issue) throw new Error('Week 47 has no issue')
  return compareWithProvider({ db: database.db, account }, issue)
}
