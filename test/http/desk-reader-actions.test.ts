import { describe, expect, it, onTestFinished } from 'vitest'
import { findReader, readerAt } from '../../src/subscriber/find.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { startFakeSuppressions } from '../setup/fake-suppressions.ts'
import { people } from '../setup/people.ts'
import { openDesk } from '../setup/sign-ups.ts'

const database = useDatabase()

describe('what can be done about a reader', () => {
  it.each([
    ['unsubscribe', 'You cannot put them back'],
    ['suppress', 'Nothing is sent to this address any more'],
    ['erase', 'It cannot be undone'],
  ])('is asked twice, with what comes of it: %s', async (action, words) => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()
    const before = await findReader(database.db, ann.publicId)

    const once = await eve.post(`/desk/readers/${ann.publicId}/decide`, { action, typed: ann.address })
    const asked = await eve.read(once)

    expect(textOf(asked)).toContain(words)
    expect(asked).toContain('name="sure" value="yes"')
    expect(await findReader(database.db, ann.publicId)).toEqual(before)
    expect(await database.db.selectFrom('suppression').selectAll().execute()).toEqual([])
  })

  it('is done, said, and in the log without an address', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()

    const page = await decide(eve, ann.publicId, { action: 'unsubscribe' })
    const log = await eve.read(eve.get('/desk/log'))

    expect(page).toContain('They are off the list.')
    expect(page).toMatch(
      /Left 20 November 2026 by an editor; gets nothing\. Never mail this address Erase this reader/,
    )
    expect(page).not.toContain('Take them off the list')
    expect(log).toMatch(
      new RegExp(`Unsubscribed a reader[^]*?<a href="/desk/readers/${ann.publicId}">a reader`),
    )
    expect(log).not.toContain(ann.address)
  })

  it('twice is said to be done already', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()
    const sam = await deskOn(database).signedIn('sam@example.test')
    await decide(eve, ann.publicId, { action: 'unsubscribe' })

    const page = await decide(sam, ann.publicId, { action: 'unsubscribe' })

    expect(page).toContain('They had left the list already. Nothing was changed.')
    expect(await kinds(ann.id)).toEqual(['imported', 'unsubscribed'])
  })

  it('is refused from another page, and without the session’s token', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()
    const form = { action: 'unsubscribe', sure: 'yes' }
    const paths = ['decide', 'export'].map((path) => `/desk/readers/${ann.publicId}/${path}`)

    for (const path of [...paths, '/desk/readers/add', '/desk/readers/find']) {
      expect((await eve.post(path, form, { origin: 'https://evil.example' })).status, path).toBe(403)
      expect((await eve.post(path, { ...form, token: 'x'.repeat(43) })).status, path).toBe(403)
    }
    expect(await findReader(database.db, ann.publicId)).toMatchObject({ status: 'confirmed' })
  })

  it('is nothing that is not in the list', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()

    for (const action of ['__proto__', 'delete', ''])
      expect((await eve.post(`/desk/readers/${ann.publicId}/decide`, { action })).status).toBe(404)
    expect((await eve.get(`/desk/readers/${ann.publicId}/decide?action=end%20pause`)).status).toBe(404)
  })
})

describe('an erasure', () => {
  it('wants the address typed, keeps what was typed, and then says what remains', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()
    const path = `/desk/readers/${ann.publicId}/decide`

    const wrong = await eve.post(path, { action: 'erase', sure: 'yes', typed: 'ann@example.tset' })
    const asked = await eve.read(wrong)
    const page = await decide(eve, ann.publicId, { action: 'erase', typed: 'Ann@example.test' })

    expect(wrong.status).toBe(422)
    expect(asked).toContain('value="ann@example.tset"')
    expect(textOf(asked)).toContain('That is not this reader’s address. Nothing was changed.')
    expect(page).toMatch(
      /They are erased\. .* Erased 20 November 2026, by an editor\. Nobody knows whose this was\./,
    )
    expect(page).toContain('A keyed hash of each address they had')
    expect(page).not.toContain('ann@example')
  })
})

describe('a suppression', () => {
  it('is lifted with a reason, that of a complaint only because they asked', async () => {
    const bob = await people.bobWhoComplained(database.db)
    const eve = await deskOn(database).signedIn()
    const path = `/desk/readers/${bob.publicId}/decide`

    const asked = await eve.read(eve.get(`${path}?action=lift%20suppression`))
    const without = await decide(eve, bob.publicId, { action: 'lift suppression' })
    const wrong = await decide(eve, bob.publicId, { action: 'lift suppression', why: 'it was a mistake' })
    const right = await decide(eve, bob.publicId, { action: 'lift suppression', why: 'they asked for it' })

    expect(textOf(asked)).toContain('They reported a mail of ours as spam.')
    expect(asked.match(/name="why" value="[^"]+"/g)).toEqual(['name="why" value="they asked for it"'])
    expect(without).toContain('Choose why it is lifted.')
    expect(wrong).toContain('lifted only if they asked for it themselves')
    expect(right).toContain('The address is suppressed no more. Resend has a list of its own')
    expect(await database.db.selectFrom('suppression').selectAll().execute()).toEqual([])
  })

  it('is taken off Resend’s list first, with a key that may', async () => {
    const bob = await people.bobWhoComplained(database.db)
    const account = await startFakeSuppressions()
    onTestFinished(() => account.close())
    account.list.set(bob.address, 'complaint')
    const environment = { RESEND_FULL_ACCESS_KEY: 're_full', RESEND_BASE_URL: account.url }
    const eve = await deskOn(database, { environment }).signedIn()

    const refused = await decide(eve, bob.publicId, { action: 'lift suppression', why: 'it was a mistake' })
    const askedBefore = account.asked.length
    const page = await decide(eve, bob.publicId, { action: 'lift suppression', why: 'they asked for it' })

    expect(refused).toContain('Nothing was changed.')
    expect(askedBefore).toBe(0)
    expect(page).toContain('It is off Resend’s list too.')
    expect([...account.list]).toEqual([])
  })

  it('stays where Resend does not answer', async () => {
    const bob = await people.bobWhoComplained(database.db)
    const account = await startFakeSuppressions()
    onTestFinished(() => account.close())
    const environment = { RESEND_FULL_ACCESS_KEY: 're_wrong', RESEND_BASE_URL: account.url }
    const eve = await deskOn(database, { environment }).signedIn()

    const page = await decide(eve, bob.publicId, { action: 'lift suppression', why: 'they asked for it' })

    expect(page).toContain('did not answer, so nothing was changed')
    expect(await database.db.selectFrom('suppression').selectAll().execute()).toHaveLength(1)
  })
})

describe('the confirmation', () => {
  it('is sent again with one press, and wakes who sends letters', async () => {
    const { signUp } = openDesk(database)
    await signUp('ann@example.test')
    const ann = await readerAt(database.db, 'ann@example.test')
    const eve = await deskOn(database, { clock: clockAt(friday) }).signedIn()
    const press = async () =>
      textOf(
        await eve.read(eve.post(`/desk/readers/${ann?.public_id}/decide`, { action: 'resend confirmation' })),
      )

    expect(await press()).toContain('Another confirmation letter is on its way.')
    expect(await press()).toContain('They were sent a confirmation letter within ten minutes')
  })
})

describe('adding a reader', () => {
  it('wants an address and words for their consent, and keeps what was typed', async () => {
    const eve = await deskOn(database).signedIn()

    const answer = await eve.post('/desk/readers/add', { address: 'ann@example', consent: ' ' })
    const page = await answer.text()

    expect(answer.status).toBe(422)
    expect(page).toContain('value="ann@example"')
    expect(textOf(page)).toMatch(/That is no address: .* Say where and when they agreed/)
    expect(await database.db.selectFrom('subscriber').selectAll().execute()).toEqual([])
  })

  it('puts them on the list, with the words as proof, and says so in the log', async () => {
    const eve = await deskOn(database).signedIn()
    const consent = 'Asked at the May meetup, wrote to hello@example.test'

    const page = await add(eve, 'Ann@Example.test', consent)

    expect(page).toMatch(/They are on the list\. .* Added 20 November 2026 by an editor; gets every issue\./)
    expect(page).toContain('Asked at the May meetup, wrote to [address]')
    expect(textOf(await eve.read(eve.get('/desk/log')))).toContain('Added a reader')
  })

  it('brings nobody back who left, was erased or is suppressed, and adds nobody twice', async () => {
    const eve = await deskOn(database).signedIn()
    const ann = await people.ann(database.db)
    const bob = await people.bobWhoComplained(database.db)

    expect(await add(eve, ann.address, 'a meetup')).toContain('They were on the list already.')
    await decide(eve, ann.publicId, { action: 'unsubscribe' })
    expect(await add(eve, ann.address, 'a meetup')).toContain('They have left the list')
    await decide(eve, ann.publicId, { action: 'erase', typed: ann.address })
    expect(await add(eve, ann.address, 'a meetup')).toContain('Who had this address was erased')
    expect(await add(eve, bob.address, 'a meetup')).toContain('This address is suppressed')
  })
})

describe('what is held of a reader', () => {
  it('is a file, and that it was taken is in the log', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()

    const answer = await eve.post(`/desk/readers/${ann.publicId}/export`)
    const held = await answer.json()

    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="reader-${ann.publicId}.json"`,
    )
    expect(held).toMatchObject({ reader: { address: ann.address }, consent: [{ kind: 'imported' }] })
    expect(textOf(await eve.read(eve.get('/desk/log')))).toContain('Exported what is held of a reader')
  })
})

/** Decides, surely, and reads the page that comes of it. */
async function decide(browser: Browser, publicId: string, form: Record<string, string>): Promise<string> {
  const answer = await browser.post(`/desk/readers/${publicId}/decide`, { ...form, sure: 'yes' })
  return textOf(await browser.read(answer))
}

async function add(browser: Browser, address: string, consent: string): Promise<string> {
  return textOf(await browser.read(browser.post('/desk/readers/add', { address, consent })))
}

async function kinds(subscriberId: number) {
  const rows = await database.db
    .selectFrom('consent_event')
    .select('kind')
    .where('subscriber_id', '=', subscriberId)
    .orderBy('id')
    .execute()
  return rows.map(({ kind }) => kind)
}

function textOf(page: string): string {
  return page
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#x27;', "'")
    .replace(/\s+/g, ' ')
}
