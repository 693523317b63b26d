import { parseHTML } from 'linkedom'
import { afterEach, describe, expect, it } from 'vitest'
import { decide } from '../../src/issue/decide.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { type DueIssue, deliverThroughWaits, standing } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { accountMails, heard, issueInQuarantine } from '../setup/doubt.ts'
import { type FakeAccount, startFakeAccount } from '../setup/fake-account.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
let account: FakeAccount | undefined

afterEach(async () => {
  await account?.close()
  account = undefined
})

describe('batches in doubt', () => {
  it('are listed, each with why, how many readers, and of how many webhooks have told', async () => {
    const { ann, eve, path } = await inDoubt('after they were taken')
    await heard(database.db, path.slice(-36), [ann])

    const page = textOf(await eve.read(eve.get('/desk/quarantine')))
    const issue = textOf(await eve.read(eve.get('/desk/issues/2026-W47')))
    const week = await eve.read(eve.get('/desk'))

    expect(page).toMatch(
      /2026-W47 partly sent .*the answer was lost, and this transport cannot repeat a call safely .* 2 1/,
    )
    expect(issue).toContain('1 batch is in doubt')
    expect(week).toContain('/desk/quarantine?week&#x3D;2026-W47')
  })

  it('are none, and the page says what it is for', async () => {
    const eve = await deskOn(database).signedIn()

    expect(textOf(await eve.read(eve.get('/desk/quarantine')))).toContain('Nothing is in doubt')
  })

  it('fill several pages, and each batch is on one of them', async () => {
    const { eve, due } = await inDoubt('after they were taken')
    await copies(due.issue.id, 60)

    const names: string[] = []
    let path = '/desk/quarantine'
    for (let pages = 0; path && pages < 5; pages += 1) {
      const { document } = parseHTML(await eve.read(eve.get(path)))
      names.push(...[...document.querySelectorAll('tbody th')].map((cell) => cell.textContent ?? ''))
      path = document.querySelector('a[rel=next]')?.getAttribute('href') ?? ''
    }

    expect(names).toHaveLength(61)
    expect(new Set(names).size).toBe(61)
  })
})

describe('the page of a batch', () => {
  it('shows its readers with what was heard of each, the attempts, and what each way out comes to', async () => {
    const { ann, eve, path } = await inDoubt('after they were taken')
    await heard(database.db, path.slice(-36), [ann])

    const page = textOf(await eve.read(eve.get(path)))

    expect(page).toContain('2 readers, evidence for 1')
    expect(page).toMatch(/ann@example\.test has it, says a webhook delivered 20 Nov 2026, 09:00/)
    expect(page).toMatch(/bob@example\.test nothing known/)
    expect(page).toContain('Send it again to 1 reader')
    expect(page).toContain('Leave 1 reader without it')
    expect(page).toMatch(/unknown: the connection was reset/)
    expect(page).not.toContain('Ask Resend')
  })

  it.each(['nonsense', '../../etc/passwd', '00000000-0000-4000-8000-000000000000', '%00'])(
    'is not there for %s',
    async (name) => {
      const eve = await deskOn(database).signedIn()

      expect((await eve.get(`/desk/quarantine/${encodeURIComponent(name)}`)).status).toBe(404)
    },
  )

  it('changes nothing by being looked at, and nothing before it was asked twice', async () => {
    const { eve, path } = await inDoubt('after they were taken')

    for (const verb of ['confirm', 'resend', 'drop'])
      await eve.read(eve.post(path, await form(eve, path, verb)))

    expect(await standing(database.db)).toMatchObject({ ann: expect.stringContaining('quarantined') })
    expect(await decided()).toEqual([])
  })
})

describe('an editor who decides about a batch', () => {
  it('records it as sent, with the evidence that it rests on', async () => {
    const { ann, bob, eve, path } = await inDoubt('after they were taken')
    await heard(database.db, path.slice(-36), [ann, bob])

    const { asked, done } = await say(eve, path, 'confirm')

    expect(asked).toContain('2 readers have this mail, as the evidence shows.')
    expect(asked).toContain('webhooks: email.delivered for 2')
    expect(done).toContain('2 readers recorded as having it. 2026-W47 is sent.')
    expect(await standing(database.db)).toEqual({ ann: 'accepted', bob: 'accepted' })
    expect(await decided()).toEqual([
      {
        ...{ by: 'eve@example.test', what: 'confirm' },
        evidence: expect.objectContaining({
          readers: 2,
          withEvidence: 2,
          provider: 'was not asked',
          yes: true,
        }),
      },
    ])
  })

  it('sends it again to those without evidence, after the warning that they may get it twice', async () => {
    const { ann, eve, path, due } = await inDoubt('before they were taken')
    await heard(database.db, path.slice(-36), [ann])

    const { asked, done } = await say(eve, path, 'resend')
    await deliverThroughWaits(due)

    expect(asked).toContain('Before you do')
    expect(asked).toContain('would get it twice')
    expect(done).toContain('1 reader recorded as having it. 1 reader will be sent it under a new key.')
    expect(due.mail.sentTo()).toEqual(['bob@example.test'])
    expect(await standing(database.db)).toEqual({ ann: 'accepted', bob: 'accepted' })
  })

  it('leaves it, and those without evidence get nothing of the issue', async () => {
    const { eve, path, due } = await inDoubt('before they were taken')

    const { done } = await say(eve, path, 'drop')
    await deliverThroughWaits(due)

    expect(done).toContain('2 readers left without it. 2026-W47 is sent.')
    expect(due.mail.sentTo()).toEqual([])
    expect(await standing(database.db)).toMatchObject({ ann: expect.stringContaining('excluded: dropped') })
  })

  it('of a cancelled issue is not offered to send it again', async () => {
    const { eve, path, due } = await inDoubt('before they were taken', 'cancelled')

    const page = textOf(await eve.read(eve.get(path)))
    const forced = await eve.read(eve.post(path, { ...(await form(eve, path, 'resend')), sure: 'yes' }))

    expect(page).toContain('Record it as sent')
    expect(page).not.toContain('Send it again')
    expect(textOf(forced)).toContain('Nothing was changed')
    expect(due.mail.sentTo()).toEqual([])
  })

  it('is told when more is known by now than was on the screen, and nothing is done', async () => {
    const { ann, eve, path, due } = await inDoubt('before they were taken')
    const seen = await form(eve, path, 'resend')
    await heard(database.db, path.slice(-36), [ann])

    const page = textOf(await eve.read(eve.post(path, { ...seen, sure: 'yes' })))
    await deliverThroughWaits(due)

    expect(page).toContain('More is known of this batch than was on your screen. Nothing was changed')
    expect(page).toContain('evidence for 1')
    expect(due.mail.sentTo()).toEqual([])
    expect(await decided()).toEqual([])
  })

  it('twice, or beside another editor, decides once; the other one is told', async () => {
    const { eve, path, due, theDesk } = await inDoubt('before they were taken')
    const sam = await theDesk.signedIn('sam@example.test')
    const [again, drop] = [await form(eve, path, 'resend'), await form(sam, path, 'drop')]

    const pages = await Promise.all([
      eve.read(eve.post(path, { ...again, sure: 'yes' })),
      sam.read(sam.post(path, { ...drop, sure: 'yes' })),
    ])
    const third = textOf(await eve.read(eve.post(path, { ...again, sure: 'yes' })))
    await deliverThroughWaits(due)

    expect(pages.filter((page) => textOf(page).includes('Nothing was changed'))).toHaveLength(1)
    expect(third).toContain('Nothing was changed')
    expect(await decided()).toHaveLength(1)
    expect([0, 2]).toContain(due.mail.sentTo().length)
  })

  it('lets who has left meanwhile be, whatever is decided', async () => {
    const { bob, eve, path, due } = await inDoubt('before they were taken')
    await unsubscribe(due.deps, bob.publicId, 'page')

    await say(eve, path, 'resend')
    await deliverThroughWaits(due)

    expect(due.mail.sentTo()).toEqual(['ann@example.test'])
  })
})

describe('Resend’s own log', () => {
  it('is asked by a button; what it says is shown, and is the evidence of the decision', async () => {
    const { eve, path, due } = await inDoubt('after they were taken', 'partly sent', 'asks Resend')

    const before = textOf(await eve.read(eve.get(path)))
    const asked = account?.asked.length
    const answer = await eve.read(eve.post(`${path}/ask`))
    const done = textOf(await eve.read(eve.post(path, { ...hidden(answer, 'confirm'), sure: 'yes' })))

    expect(before).toContain('Ask Resend')
    expect(asked).toBe(0)
    expect(textOf(answer)).toContain('Resend: its log has the call that took this batch')
    expect(textOf(answer)).toContain('has it, says Resend’s log')
    expect(done).toContain('2 readers recorded as having it. 2026-W47 is sent.')
    expect((await decided())[0]?.evidence).toMatchObject({ provider: 'took it', withEvidence: 2 })
    expect(due.mail.sentTo()).toEqual(['ann@example.test', 'bob@example.test'])
  })

  it('does not have to answer: that is said, and nothing is changed', async () => {
    const { eve, path } = await inDoubt('after they were taken', 'partly sent', 'asks Resend')
    await account?.close()

    const page = textOf(await eve.read(eve.post(`${path}/ask`)))

    expect(page).toContain('Resend did not tell')
    expect(page).toContain('Nothing was changed')
    expect(page).toContain('evidence')
  })
})

/** Ann's and bob's batch in quarantine, and eve at the desk. */
async function inDoubt(
  taken: 'after they were taken' | 'before they were taken',
  state: 'partly sent' | 'cancelled' = 'partly sent',
  asks: 'asks Resend' | 'cannot ask' = 'cannot ask',
) {
  const [ann, bob] = [await people.ann(database.db), await people.bob(database.db)]
  const due = await issueInQuarantine(database, taken)
  if (state === 'cancelled') {
    await database.db
      .updateTable('issue')
      .set({ state: 'paused', reason: 'a test', finished_at: null })
      .execute()
    await decide(due.deps, '2026-W47', 'cancel', 'olga')
  }
  const environment = asks === 'asks Resend' ? await accountOf(due) : {}
  const theDesk = deskOn(database, { clock: due.clock, mail: openPostOffice(), environment })
  return { ann, bob, due, theDesk, eve: await theDesk.signedIn(), path: `/desk/quarantine/${due.batchId}` }
}

async function accountOf({ mail }: DueIssue): Promise<Record<string, string>> {
  account = await startFakeAccount(() => accountMails(mail))
  return {
    ...{ MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_sending', RESEND_FULL_ACCESS_KEY: 're_full' },
    ...{ RESEND_BASE_URL: account.url },
  }
}

/** What the button of a verb sends, as the batch's page has it now. */
async function form(eve: Browser, path: string, verb: string): Promise<Record<string, string>> {
  return { ...hidden(await eve.read(eve.get(path)), verb), verb }
}

function hidden(page: string, verb: string): Record<string, string> {
  const { document } = parseHTML(page)
  const value = (name: string) => document.querySelector(`input[name=${name}]`)?.getAttribute('value') ?? ''
  return { verb, seen: value('seen'), asked: value('asked') }
}

/** Presses the button, reads what is asked, and says yes. */
async function say(eve: Browser, path: string, verb: string): Promise<{ asked: string; done: string }> {
  const asked = await eve.read(eve.post(path, await form(eve, path, verb)))
  const done = await eve.read(eve.post(path, { ...hidden(asked, verb), sure: 'yes' }))
  return { asked: textOf(asked), done: textOf(done) }
}

function decided() {
  return database.db
    .selectFrom('decision')
    .select(['by', 'what', 'evidence'])
    .where('what', 'in', ['confirm', 'resend', 'drop'])
    .execute()
}

/** Batches like the one in quarantine, without readers. */
async function copies(issueId: number, count: number): Promise<void> {
  const batch = await database.db.selectFrom('batch').selectAll().executeTakeFirstOrThrow()
  for (let n = 1; n <= count; n += 1)
    await database.db
      .insertInto('batch')
      .values({
        ...batch,
        ...{ id: crypto.randomUUID(), issue_id: issueId, ordinal: 1 + (n % 7), idempotency_key: `copy-${n}` },
      })
      .execute()
}

function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
}
