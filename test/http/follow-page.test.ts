import { beforeEach, describe, expect, it } from 'vitest'
import { confirmSubscriber } from '../../src/subscriber/confirm.ts'
import { eraseReader } from '../../src/subscriber/erase.ts'
import { pauseReader } from '../../src/subscriber/pause.ts'
import { choicesOf } from '../../src/subscriber/preferences.ts'
import { resendConfirmation } from '../../src/subscriber/resend-confirmation.ts'
import { sendLetters } from '../../src/subscriber/send-letters.ts'
import { takeInSignUps } from '../../src/subscriber/sign-up.ts'
import { readToken } from '../../src/subscriber/token.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { appOn } from '../setup/app.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { everything } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { pageOf, sent, words } from '../setup/pages.ts'
import { people, reader } from '../setup/people.ts'
import { type Desk, openDesk, proofIn } from '../setup/sign-ups.ts'

const database = useDatabase()
const ann = 'ann@example.test'
const tool = { 'follow-tool': 'glyphmoor-left', cadence: 'weekly' }
let desk: Desk

beforeEach(async () => {
  desk = openDesk(database)
  const document = documentFor('glyphmoor', { publishedAt: '2026-11-10T09:00:00Z' })
  await publish(database.db, document)
})

describe('following from a page', () => {
  it.each([
    ['a form', sent({ address: ann, ...tool, cadence: 'followed' }), 200],
    ['JSON', json({ address: ann, follow: { tool: 'glyphmoor-left' }, cadence: 'followed' }), 202],
  ])('is written down as %s says it', async (_, init, status) => {
    const { answer } = await pageOf(appOn(database, desk.deps), '/subscribe', init)

    expect(answer.status).toBe(status)
    expect(await waiting()).toMatchObject([
      { address: ann, follow_tool: 'glyphmoor-left', follow_category: null, follow_cadence: 'followed' },
    ])
  })

  it('follows a category by its name, every week where nothing else is said', async () => {
    await pageOf(
      appOn(database, desk.deps),
      '/subscribe',
      json({ address: ann, follow: { category: 'Developer Tools' } }),
    )

    expect(await waiting()).toMatchObject([{ follow_category: 'Developer Tools', follow_cadence: 'weekly' }])
  })

  it.each(['form', 'json'] as const)(
    'is answered to a %s the same for every state of an address, byte by byte',
    async (door) => {
      const addresses = await everyState()

      const answers = await Promise.all(addresses.map((address) => shown(door, address)))

      expect(new Set(answers).size).toBe(1)
      expect(answers[0]).toContain(door === 'json' ? 'check-your-inbox' : 'Check your inbox')
      expect((await waiting()).map(({ address }) => address).toSorted()).toEqual(addresses.toSorted())
    },
  )

  it.each([
    ['a tool that nobody compared', { tool: 'nothing' }],
    ['a category that there is not', { category: 'Nothing' }],
    ['a tool whose time has not come', { tool: 'later-left' }],
    ['a tool of a retracted comparison', { tool: 'gone-left' }],
    ['neither', {}],
    ['both', { tool: 'glyphmoor-left', category: 'Developer Tools' }],
    ['nothing that could be one', { tool: ['glyphmoor-left'] }],
    ['no object', 'glyphmoor-left'],
  ])('says so of %s, and writes nothing down', async (_, follow) => {
    await publish(database.db, documentFor('later', { publishedAt: '2026-12-01T09:00:00Z' }))
    await publish(database.db, { ...documentFor('gone'), retracted: true })

    const { answer, html } = await pageOf(
      appOn(database, desk.deps),
      '/subscribe',
      json({ address: ann, follow }),
    )

    expect(answer.status).toBe(400)
    expect(JSON.parse(html)).toEqual({ error: expect.stringContaining('not written down') })
    expect(await waiting()).toEqual([])
  })

  it('keeps what was to be followed while an address is mended', async () => {
    const { document, status } = await pageOf(
      appOn(database, desk.deps),
      '/subscribe',
      sent({ address: 'ann@gmial.com', ...tool, cadence: 'followed' }),
    )

    expect(status).toBe(400)
    expect(document.querySelector('[name=follow-tool]')?.getAttribute('value')).toBe('glyphmoor-left')
    expect(document.querySelector('[value=followed]')?.hasAttribute('checked')).toBe(true)
  })
})

describe('a new reader who follows something', () => {
  it('is told on the letter and the page what a press does, and has it once they pressed', async () => {
    const token = proofIn(await letterFor({ ...tool, cadence: 'followed' }))
    const app = appOn(database, desk.deps)
    const before = await everything(database.db)
    const open = await pageOf(app, `/confirm/${token}`)
    const after = await everything(database.db)

    const { document } = await pageOf(app, `/confirm/${token}`, { method: 'POST' })
    await sendLetters(desk.deps)

    expect(desk.mail.accepted[0]?.text).toContain('You then follow glyphmoor left')
    expect(words(open.document.querySelector('.lede')?.textContent)).toBe(
      'Press the button, and a…@e….test gets Weekly AI Tool Verdicts whenever glyphmoor left is in an issue, and follows glyphmoor left.',
    )
    expect(after).toEqual(before)
    expect(document.querySelector('.lede')?.textContent).toContain('You follow glyphmoor left.')
    expect(await choices()).toEqual({ cadence: 'followed', categories: [], tools: ['glyphmoor-left'] })
    expect(await record()).toEqual([
      ['signed up', null],
      ['confirmed', null],
      ['preferences changed', 'followed; categories: none; tools: glyphmoor-left'],
    ])
    expect(desk.mail.accepted[1]?.text.replace(/\s+/g, ' ')).toContain(
      'You follow glyphmoor left, and get the issues with glyphmoor left in them',
    )
  })

  it('follows a category in every spelling that it has', async () => {
    const { tools, ...rest } = documentFor('later', { publishedAt: '2026-11-11T09:00:00Z' })
    await publish(database.db, {
      ...rest,
      tools: tools.map((one) => ({ ...one, category: 'developer tools' })),
    })

    await confirmSubscriber(
      desk.deps,
      proofIn(await letterFor({ 'follow-category': 'developer tools', cadence: 'weekly' })),
    )

    expect((await choices()).categories.toSorted()).toEqual(['Developer Tools', 'developer tools'])
  })

  it('still does with a fresh link, and with a letter that an editor asked for', async () => {
    const old = proofIn(await letterFor(tool))
    desk.clock.pass('PT73H')
    await appOn(database, desk.deps).request(`/confirm/${old}/fresh`, { method: 'POST' })
    await takeInSignUps(desk.deps)
    desk.clock.pass('PT11M')
    const { public_id } = await readerAt(ann)
    await database.db.transaction().execute((trx) => resendConfirmation(trx, desk.deps, public_id))
    await sendLetters(desk.deps)

    const letters = desk.mail.accepted.map(({ text }) => text.includes('You then follow glyphmoor left'))

    expect(letters).toEqual([true, true, true])
  })

  it('who confirmed by another letter meanwhile follows with the one that says so', async () => {
    await desk.signUp(ann)
    desk.clock.pass('PT11M')
    const withWish = proofIn(await letterFor(tool))
    await confirmSubscriber(desk.deps, proofIn(desk.mail.accepted[0]))
    const app = appOn(database, desk.deps)

    const { answer } = await pageOf(app, `/confirm/${withWish}`)
    const asked = await choices()
    await app.request(answer.headers.get('Location') ?? '', { method: 'POST' })

    expect([answer.status, answer.headers.get('Location')]).toEqual([303, `/follow/${withWish}`])
    expect(asked.tools).toEqual([])
    expect((await choices()).tools).toEqual(['glyphmoor-left'])
  })

  it('is forgotten with what they wished for', async () => {
    const token = proofIn(await letterFor(tool))
    await confirmSubscriber(desk.deps, token)
    const { public_id } = await readerAt(ann)

    await eraseReader(desk.deps, public_id, 'page')

    const { letter, followed_tool } = await everything(database.db)
    expect(letter?.filter((row) => row.includes('glyphmoor'))).toEqual([])
    expect(followed_tool).toEqual([])
  })
})

describe('a reader on the list whose address is entered to follow something', () => {
  it('is asked by a letter, which has nothing in it that was typed', async () => {
    await people.ann(database.db)

    const letter = await letterFor(tool)

    expect(letter?.subject).toBe('Follow glyphmoor left? One press on Weekly AI Tool Verdicts')
    expect(letter?.text).toContain('How often you get mail stays as it is.')
    expect(letter?.headers['List-Unsubscribe']).toMatch(/^<https:\/\/news\.example\.com\/unsubscribe\//)
    expect((await choices()).tools).toEqual([])
  })

  it('sees on its page what a press does; opening it three times does nothing, pressing it twice does it once', async () => {
    await people.ann(database.db)
    const token = proofIn(await letterFor({ ...tool, cadence: 'followed' }))
    const app = appOn(database, desk.deps)
    const before = await everything(database.db)
    const opened = [0, 1, 2].map(() => pageOf(app, `/follow/${token}`))
    const [page] = await Promise.all(opened)
    const after = await everything(database.db)

    const pressed = await pageOf(app, `/follow/${token}`, { method: 'POST' })
    await app.request(`/follow/${token}`, { method: 'POST' })

    expect(after).toEqual(before)
    expect(page?.document.querySelectorAll('button')).toHaveLength(1)
    expect(words(page?.document.querySelector('.lede')?.textContent)).toContain(
      'a…@e….test follows glyphmoor left. From then on, mail comes only in weeks with something you follow',
    )
    expect(pressed.document.querySelector('h1')?.textContent).toBe('You follow glyphmoor left')
    const preferences = pressed.document.querySelector('main a')?.getAttribute('href')?.split('/').at(-1)
    expect(readToken(testKeys, 'preferences', preferences ?? '')).toBe((await readerAt(ann)).public_id)
    expect(await choices()).toEqual({ cadence: 'followed', categories: [], tools: ['glyphmoor-left'] })
    expect((await record()).filter(([kind]) => kind === 'preferences changed')).toHaveLength(1)
  })

  it('keeps their own rhythm and everything else they follow', async () => {
    const { id } = await people.ann(database.db)
    await database.db.updateTable('subscriber').set({ cadence: 'monthly' }).where('id', '=', id).execute()
    await database.db
      .insertInto('followed_category')
      .values({ subscriber_id: id, category: 'Developer Tools' })
      .execute()

    const token = proofIn(await letterFor(tool))
    await appOn(database, desk.deps).request(`/follow/${token}`, { method: 'POST' })

    expect(await choices()).toEqual({
      ...{ cadence: 'monthly', categories: ['Developer Tools'], tools: ['glyphmoor-left'] },
    })
  })

  it('is not asked about what they follow already', async () => {
    await people.ann(database.db)
    await appOn(database, desk.deps).request(`/follow/${proofIn(await letterFor(tool))}`, { method: 'POST' })
    desk.clock.pass('PT24H')

    await letterFor(tool)

    expect(desk.mail.accepted).toHaveLength(1)
  })

  it('gets no more letters than anybody else, however often it is entered, and none when suppressed', async () => {
    await people.ann(database.db)
    await people.bobWhoComplained(database.db)
    const wish = { tool: 'glyphmoor-left', cadence: 'weekly' } as const

    const fates = await desk.signUp(...Array.from({ length: 50 }, () => ({ address: ann, wish })), {
      address: 'bob@example.test',
      wish,
    })

    expect(fates).toEqual({ posted: 1, 'over the address limit': 49, suppressed: 1 })
    expect(desk.mail.accepted.map(({ to }) => to)).toEqual([ann])
  })

  it.each([
    ['was never given out', 404],
    ['is 72 hours old', 410],
    ['belongs to somebody who left', 409],
    ['was made to confirm an address', 404],
  ] as const)('finds a friendly page, and nothing done, for a link that %s', async (what, status) => {
    const { publicId } = await people.ann(database.db)
    const letter = await letterFor(tool)
    if (what === 'is 72 hours old') desk.clock.pass('PT72H')
    if (what === 'belongs to somebody who left') await unsubscribe(desk.deps, publicId, 'page')
    if (what === 'was made to confirm an address') await desk.signUp('cleo@example.test')
    const given = what === 'was made to confirm an address' ? desk.mail.accepted[1] : letter
    const token = what === 'was never given out' ? 'x'.repeat(43) : proofIn(given)
    const before = await everything(database.db)

    const app = appOn(database, desk.deps)
    const [opened, pressed] = [
      await pageOf(app, `/follow/${token}`),
      await pageOf(app, `/follow/${token}`, { method: 'POST' }),
    ]

    expect([opened.status, pressed.status]).toEqual([status, status])
    expect(opened.document.querySelector('form')).toBeNull()
    expect(opened.answer.headers.get('Cache-Control')).toBe('no-store')
    expect(await everything(database.db)).toEqual(before)
  })

  it('does not confirm anybody with it', async () => {
    await people.ann(database.db)
    const token = proofIn(await letterFor(tool))

    expect((await confirmSubscriber(desk.deps, token)).kind).toBe('unknown')
  })
})

/** What the form on a page sends is written down, taken in, and its letter leaves. */
async function letterFor(fields: Record<string, string>) {
  await appOn(database, desk.deps).request('/subscribe', sent({ address: ann, ...fields }))
  await takeInSignUps(desk.deps)
  await sendLetters(desk.deps)
  return desk.mail.accepted.at(-1)
}

function json(document: object): RequestInit {
  const headers = { 'Content-Type': 'application/json' }
  return { method: 'POST', headers, body: JSON.stringify(document) }
}

/** One address for each state that somebody's address can be in. */
async function everyState(): Promise<readonly string[]> {
  await people.ann(database.db)
  await people.bobWhoComplained(database.db)
  const follower = await people.cleo(database.db)
  await database.db
    .insertInto('followed_tool')
    .columns(['subscriber_id', 'tool_id'])
    .expression(
      database.db.selectFrom('tool').select((eb) => [eb.val(follower.id).as('subscriber_id'), 'id']),
    )
    .execute()
  const left = await reader(database.db, 'dora')
  await unsubscribe(desk.deps, left.publicId, 'page')
  const paused = await reader(database.db, 'emil')
  await pauseReader(desk.deps, paused.publicId, {
    at: desk.clock().add({ hours: 999 }),
    day: Temporal.PlainDate.from('2026-12-28'),
  })
  await desk.signUp('pending@example.test')
  return [
    ...['new@example.test', 'pending@example.test', ann, 'bob@example.test'],
    ...[follower.address, left.address, paused.address],
  ]
}

/** Status, headers but the date, and body, as one text. */
async function shown(door: 'form' | 'json', address: string): Promise<string> {
  const init =
    door === 'json' ? json({ address, follow: { tool: 'glyphmoor-left' } }) : sent({ address, ...tool })
  const answer = await appOn(database, desk.deps).request('/subscribe', init)
  answer.headers.delete('Date')
  return JSON.stringify([answer.status, [...answer.headers], await answer.text()])
}

function waiting() {
  return database.db.selectFrom('sign_up').selectAll().orderBy('id').execute()
}

function readerAt(address: string) {
  return database.db
    .selectFrom('subscriber')
    .selectAll()
    .where('address', '=', address)
    .executeTakeFirstOrThrow()
}

async function choices() {
  return choicesOf(database.db, await readerAt(ann))
}

async function record(): Promise<readonly (readonly [string, string | null])[]> {
  const rows = await database.db
    .selectFrom('consent_event')
    .select(['kind', 'detail'])
    .where('subscriber_id', '=', (await readerAt(ann)).id)
    .orderBy('id')
    .execute()
  return rows.map(({ kind, detail }) => [kind, detail])
}
