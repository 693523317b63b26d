import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { confirmSubscriber } from '../../src/subscriber/confirm.ts'
import { explainDeparture } from '../../src/subscriber/departure.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { readerAt } from '../../src/subscriber/find.ts'
import { pauseEnd, pauseReader } from '../../src/subscriber/pause.ts'
import { savePreferences } from '../../src/subscriber/preferences.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt } from '../setup/clock.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, friday } from '../setup/delivery.ts'
import { type Browser, deskOn } from '../setup/desk.ts'
import { issueInQuarantine } from '../setup/doubt.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openDesk, proofIn } from '../setup/sign-ups.ts'

const database = useDatabase()

describe('the readers at the desk', () => {
  it('teach where readers come from while there is none', async () => {
    const eve = await deskOn(database).signedIn()

    const page = await textAt(eve, '/desk/readers')

    expect(page).toContain('No reader yet')
    expect(page).toContain('verdict subscribers import readers.csv')
  })

  it('are listed newest first, in lists with their numbers, for as many pages as there are', async () => {
    await people.crowd(database.db, 120)
    await people.bobWhoComplained(database.db)
    const eve = await deskOn(database).signedIn()
    const seen: string[] = []

    const first = await textAt(eve, '/desk/readers')
    for (let path = '/desk/readers?show=confirmed'; path; ) {
      const page = await eve.read(eve.get(path))
      seen.push(...(page.match(/[\w-]+@example\.test(?=<\/a>)/g) ?? []))
      path = linkOf(page, 'next')
    }

    expect(first).toMatch(/Everybody 121 Not confirmed 0 Confirmed 121 .* Reported spam 1 /)
    expect(first).toContain('bob@example.test confirmed reported spam')
    expect(seen).toHaveLength(121)
    expect(new Set(seen).size).toBe(121)
    expect(await textAt(eve, '/desk/readers?show=bounced')).toContain('Nobody here')
  })

  it.each([
    ['the whole address', ' ANN@Example.Test '],
    ['their number, as the log has it', 'number'],
  ])('are found by %s, which stands in no address', async (_, typed) => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()

    const answer = await find(eve, typed === 'number' ? ann.publicId : typed)

    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe(`/desk/readers/${ann.publicId}`)
  })

  it('are found by how their address begins, page after page, and no web address has it', async () => {
    await people.crowd(database.db, 60)
    await people.ann(database.db)
    const eve = await deskOn(database).signedIn()

    const first = await eve.read(find(eve, 'READER-'))
    const after = /name="after" value="([^"]+)"/.exec(first)?.[1] ?? ''
    const second = await eve.read(eve.post('/desk/readers/find', { address: 'READER-', after }))

    expect(textOf(first)).toContain('Addresses that begin with “reader-”')
    expect(addressesIn(first)).toHaveLength(50)
    expect(addressesIn(second)).toHaveLength(10)
    expect(new Set([...addressesIn(first), ...addressesIn(second)]).size).toBe(60)
    expect(first.match(/href="[^"]*(?:reader-|%40|@)[^"]*"/g)).toBeNull()
  })

  it('are not found, and it says why', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()
    await eraseReader({ db: database.db, clock: clockAt(friday), keys: testKeys }, ann.publicId, 'by hand')
    await database.db
      .insertInto('suppression')
      .values({ address: 'dan@example.test', reason: 'bounced', since: Temporal.Instant.from(friday) })
      .execute()

    expect(textOf(await eve.read(find(eve, ann.address)))).toContain('only a keyed hash of it is kept')
    expect(textOf(await eve.read(find(eve, 'dan@example.test')))).toContain('It is suppressed (bounced)')
    expect(textOf(await eve.read(find(eve, 'nobody')))).toContain('No reader’s address begins like that')
  })

  it.each([
    '/desk/readers/..%2f..%2fetc%2fpasswd',
    '/desk/readers/1',
    '/desk/readers/3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f',
    '/desk/readers/3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f%00',
    "/desk/readers/3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f'--",
    '/desk/readers/3F1C2D4E-5A6B-4C7D-8E9F-0A1B2C3D4E5F',
    '/desk/readers/__proto__',
    '/desk/readers/3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f/decide?action=erase',
  ])('a path that is nobody’s leads nowhere: %s', async (path) => {
    const eve = await deskOn(database).signedIn()

    expect((await eve.get(path)).status).toBe(404)
  })

  it('a query that makes no sense shows the newest', async () => {
    const ann = await people.ann(database.db)
    const eve = await deskOn(database).signedIn()

    for (const path of [
      '/desk/readers?show=__proto__&before=-1',
      "/desk/readers?before=1e99&show='",
      `/desk/readers/${ann.publicId}?issues=2026&letters=1&consent=x`,
      `/desk/readers/${ann.publicId}?letters=3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f`,
    ])
      expect((await eve.get(path)).status, path).toBe(200)
  })
})

describe('one reader at the desk', () => {
  it('who signed up has how, what they get, their letters and their consent', async () => {
    const { deps, mail, signUp, clock } = openDesk(database)
    await signUp({ address: 'ann@example.test', network: '192.0.2.0/24' })
    const pending = await pageOf('ann@example.test')
    clock.pass('PT1H')
    await confirmSubscriber(deps, proofIn(mail.accepted[0]) ?? '', '192.0.2.0/24')
    await savePreferences(deps, await idOf('ann@example.test'), {
      ...{ cadence: 'monthly', categories: [], tools: [] },
    })

    const page = await pageOf('ann@example.test')

    expect(pending).toContain(
      'Signed up 16 November 2026 through the form, and has not confirmed; gets nothing.',
    )
    expect(page).toContain('Confirmed 16 November 2026 through the form; gets one mail a month.')
    expect(page).toMatch(
      /You are on the list asked for .* Waits to be sent Confirm your address .* Sent 16 Nov 2026, 04:00/,
    )
    expect(page).toMatch(
      /Changed what they get .* on their own page monthly; .* Confirmed .* with the link in a letter network 192.0.2.0\/24 Signed up .* through the form words of 2026-11 on https:\/\/news.example.com\/subscribe network 192.0.2.0\/24/,
    )
    expect(page).toContain('“One mail a week, and nothing else.')
  })

  it('has every issue, what we did with it and what came back', async () => {
    const ann = await people.ann(database.db)
    const due = await dueIssue(database)
    await sendIssue(due.deps, '2026-W47')
    await database.db
      .insertInto('feedback')
      .values({
        ...{ issue_id: due.issue.id, subscriber_id: ann.id, state: 'bounced hard' },
        ...{ at: Temporal.Instant.from('2026-11-20T14:05:00Z'), soft_at: null },
      })
      .execute()

    const page = await pageOf(ann.address)

    expect(page).toMatch(
      /2026-W47 glyphmoor.* Sent 20 Nov 2026, 09:00 Bounced for good 20 Nov 2026, 09:05 id-2026-W47\./,
    )
  })

  it('has a mail in doubt with the way to its evidence', async () => {
    const ann = await people.ann(database.db)
    const { batchId } = await issueInQuarantine(database, 'after they were taken')
    const eve = await deskOn(database).signedIn()

    const page = await eve.read(eve.get(`/desk/readers/${ann.publicId}`))

    expect(textOf(page)).toContain('In doubt: ')
    expect(page).toContain(`href="/desk/quarantine/${batchId}"`)
  })

  it('who pauses, left, bounced or complained is said to', async () => {
    const { db } = database
    const clock = clockAt(friday)
    const [ann, bob, cleo] = [await people.ann(db), await people.bobWhoComplained(db), await people.cleo(db)]
    const end = pauseEnd('P1M', clock(), 'America/New_York')
    if (end) await pauseReader({ db, clock }, ann.publicId, end)
    await unsubscribe({ db, clock }, cleo.publicId, 'one-click')
    await explainDeparture({ db, clock }, cleo.publicId, {
      why: 'too often',
      words: 'Once a month is enough',
    })

    expect(await pageOf(ann.address)).toContain(
      'Added 5 January 2026 by an operator; paused until 20 December 2026.',
    )
    expect(await pageOf(bob.address)).toContain(
      'Added 5 January 2026 by an operator; gets nothing. They reported a mail of ours as spam 5 January 2026',
    )
    expect(await pageOf(cleo.address)).toMatch(
      /Left 20 November 2026 with their mail program’s button; gets nothing\. .* Too much mail Once a month is enough/,
    )
  })

  it('has records that go on for as many pages as there are, each line once', async () => {
    const ann = await people.ann(database.db)
    await database.db
      .insertInto('consent_event')
      .values(
        Array.from({ length: 60 }, (_, n) => ({
          ...{ subscriber_id: ann.id, kind: 'preferences changed' as const, method: 'page' },
          ...{ at: Temporal.Instant.from(friday), detail: `choice ${n}` },
        })),
      )
      .execute()
    await database.db
      .insertInto('letter')
      .values(
        Array.from({ length: 60 }, (_, n) => ({
          ...{
            subscriber_id: ann.id,
            kind: 'welcome' as const,
            key_id: 'k1',
            to_address: `ann${n}@old.test`,
          },
          ...{ created_at: Temporal.Instant.from(friday), not_before: Temporal.Instant.from(friday) },
        })),
      )
      .execute()
    const eve = await deskOn(database).signedIn()

    const choices = await allPages(eve, ann.publicId, 'consent', /choice \d+/g)
    const letters = await allPages(eve, ann.publicId, 'letters', /ann\d+@old\.test/g)

    expect(choices).toEqual(Array.from({ length: 60 }, (_, n) => `choice ${59 - n}`))
    expect(letters).toHaveLength(60)
    expect(new Set(letters).size).toBe(60)
  })

  it('is shown as text, whatever they wrote', async () => {
    const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>{{constructor}}'--`
    const { db } = database
    const at = Temporal.Instant.from(friday)
    const [row] = await db
      .insertInto('subscriber')
      .values({
        address: `<svg/onload=alert(3)>@example.test`,
        status: 'unsubscribed',
        created_at: at,
        unsubscribed_at: at,
      })
      .returning(['id', 'public_id'])
      .execute()
    if (!row) throw new Error('nobody was made')
    await db
      .insertInto('consent_event')
      .values({
        ...{ subscriber_id: row.id, kind: 'signed up', at, method: evil, detail: evil },
        ...{ wording: evil, form_url: `javascript:alert(4)//${evil}`, network: evil },
      })
      .execute()
    await db.insertInto('departure').values({ subscriber_id: row.id, at, why: null, words: evil }).execute()
    await db.insertInto('followed_category').values({ subscriber_id: row.id, category: evil }).execute()
    await db
      .insertInto('letter')
      .values({
        ...{ subscriber_id: row.id, kind: 'welcome', key_id: 'k1', to_address: evil, reason: evil },
        ...{ created_at: at, not_before: at, given_up_at: at },
      })
      .execute()
    const eve = await deskOn(database).signedIn()

    const pages = [
      await eve.read(eve.get(`/desk/readers/${row.public_id}`)),
      await eve.read(eve.get(`/desk/readers/${row.public_id}/decide?action=erase`)),
      await eve.read(eve.get('/desk/readers')),
      await eve.read(find(eve, evil)),
      await eve.read(eve.post('/desk/readers/add', { address: evil, consent: evil })),
    ]

    for (const page of pages) {
      expect(page).toMatch(/alert\(/)
      expect(page).not.toMatch(/<script(?![^>]*src=)|<img|<svg|<[^>]* on\w+=|href="javascript:/i)
    }
  })
})

async function idOf(address: string): Promise<string> {
  return (await readerAt(database.db, address))?.public_id ?? ''
}

/** A reader's page, as text. */
async function pageOf(address: string): Promise<string> {
  const eve = await deskOn(database).signedIn()
  return textAt(eve, `/desk/readers/${await idOf(address)}`)
}

function find(eve: Browser, address: string): Promise<Response> {
  return eve.post('/desk/readers/find', { address })
}

async function textAt(browser: Browser, path: string): Promise<string> {
  return textOf(await browser.read(browser.get(path)))
}

/** What matches on every page of one of a reader's records. */
async function allPages(
  browser: Browser,
  publicId: string,
  record: string,
  what: RegExp,
): Promise<readonly string[]> {
  const seen: string[] = []
  for (let path = `/desk/readers/${publicId}`; path; ) {
    const page = await browser.read(browser.get(path))
    seen.push(...(page.match(what) ?? []))
    path =
      (page.match(/rel="next" href="[^"]+"/g) ?? [])
        .map((link) => link.slice(17, -1).replaceAll('&#x3D;', '='))
        .find((href) => href.includes(`${record}=`))
        ?.replace(/#.*/, '') ?? ''
  }
  return seen
}

function addressesIn(page: string): readonly string[] {
  return page.match(/[\w-]+@example\.test(?=<\/a>)/g) ?? []
}

function linkOf(page: string, rel: string): string {
  const found = new RegExp(`rel="${rel}" href="([^"]+)"`).exec(page)?.[1] ?? ''
  return found.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&')
}

function textOf(page: string): string {
  return page
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#x27;', "'")
    .replace(/\s+/g, ' ')
}
