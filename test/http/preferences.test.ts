import type { Hono } from 'hono'
import { parseHTML } from 'linkedom'
import { beforeEach, describe, expect, it } from 'vitest'
import { testReader } from '../../src/delivery/personalise.ts'
import { proofToken } from '../../src/subscriber/letter.ts'
import { signToken } from '../../src/subscriber/token.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { everything, tablesWith } from '../setup/everything.ts'
import { testKeys } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys
let clock = clockAt(friday)
let app: Hono

beforeEach(() => {
  clock = clockAt(friday)
  app = appOn(database, { clock })
})

describe('the preferences page', () => {
  it('shows where one stands, and the address only to who knows it', async () => {
    const { link } = await ann()

    const page = await open(link)

    expect(page.querySelector('h1')?.textContent).toBe('Your subscription')
    expect(page.querySelector('.lede')?.textContent).toBe('a…@e….test gets every issue.')
    expect(page.toString()).not.toContain('ann@example.test')
  })

  it('does everything by plain forms, without a script, from nowhere but here', async () => {
    const { link } = await ann()

    const page = await open(link)

    const forms = [...page.querySelectorAll('form')]
    expect(forms.map((form) => form.getAttribute('method'))).toEqual(Array(forms.length).fill('post'))
    expect(forms.every((form) => form.getAttribute('action')?.startsWith('/'))).toBe(true)
    expect(page.querySelectorAll('script, img, iframe, link:not([rel=stylesheet], [rel=icon])')).toHaveLength(
      0,
    )
    expect(page.querySelector('link[rel=icon]')?.getAttribute('href')).toMatch(/^data:/)
  })

  it('stays under 50 KB with as much to follow as it ever offers', async () => {
    const { link } = await ann()
    for (let n = 0; n < 70; n += 1) {
      const document = documentFor(`comparison-with-rather-a-long-name-${n}`)
      const tools = document.tools.map((tool) => ({ ...tool, category: `A category with a long name ${n}` }))
      await publish(database.db, { ...document, tools })
    }

    const answer = await app.request(link)

    const bytes = Buffer.byteLength(await answer.clone().text())
    const page = await read(answer)
    expect(page.querySelectorAll('input[name=category]')).toHaveLength(60)
    expect(page.querySelectorAll('input[name=tool]')).toHaveLength(80)
    expect(bytes).toBeLessThan(50_000)
  })

  it('says what was saved after a redirect, so that a reload repeats nothing', async () => {
    const { link } = await ann()

    const saved = await post(link, 'cadence=monthly')

    expect(saved.status).toBe(303)
    const page = await open(saved.headers.get('Location') ?? '')
    expect(page.querySelector('[role=status]')?.textContent).toContain('Saved')
    expect(page.querySelector('input[value=monthly]')?.hasAttribute('checked')).toBe(true)
  })

  it('says nothing that is not true, whatever stands in its address', async () => {
    const { link } = await ann()

    for (const done of ['paused', 'nonsense', '%3Cscript%3E', 'address%00'])
      expect((await open(`${link}?done=${done}`)).querySelector('[role=status]')).toBeNull()
  })

  it('keeps what was ticked when it asks again', async () => {
    const { link } = await ann()
    await publish(database.db, documentFor('glyphmoor-vs-kernwick'))

    const answer = await post(link, 'cadence=followed&category=Nothing+that+exists')

    const page = await read(answer)
    expect(answer.status).toBe(422)
    expect(page.querySelector('[role=alert]')?.textContent).toContain('no issue would ever come')
    expect(page.querySelector('input[value=followed]')?.hasAttribute('checked')).toBe(true)
  })

  it.each(['', 'cadence=hourly', 'cadence=weekly&tool=%00', `cadence=weekly&category=${'x'.repeat(300)}`])(
    'changes nothing for the form "%s"',
    async (body) => {
      const { link } = await ann()
      const before = await everything(database.db)

      expect((await post(link, body)).status).toBe(422)
      expect(await everything(database.db)).toEqual(before)
    },
  )

  it('takes no more than a form has', async () => {
    const { link } = await ann()

    expect((await post(link, `cadence=weekly&category=${'x'.repeat(40_000)}`)).status).toBe(413)
  })
})

describe('pausing on the page', () => {
  it('has a length, shows until when, and ends with one press', async () => {
    const { link } = await ann()

    const paused = await open((await post(`${link}/pause`, 'for=P2W')).headers.get('Location') ?? '')
    const resumed = await open((await post(`${link}/resume`)).headers.get('Location') ?? '')

    expect(paused.querySelector('.lede')?.textContent).toContain('is paused until 4 December 2026')
    expect(paused.querySelector('[role=status]')?.textContent).toContain('4 December 2026')
    expect(resumed.querySelector('[role=status]')?.textContent).toContain('The pause is over')
    expect(resumed.querySelector('.lede')?.textContent).toContain('gets every issue')
  })

  it.each([
    ['the first day', '2026-12-04', 303],
    ['the last day', '2027-11-20', 303],
    ['a day too early', '2026-12-03', 422],
    ['a day too late', '2027-11-21', 422],
    ['no day', '', 422],
    ['a day that there is not', '2027-02-30', 422],
    ['a date of somebody else’s', '04.12.2026', 422],
  ])('until %s', async (_, until, status) => {
    const { link } = await ann()

    expect((await post(`${link}/pause`, `for=date&until=${until}`)).status).toBe(status)
  })
})

describe('changing the address on the page', () => {
  it('asks the new mailbox first, and moves with a press of the button there', async () => {
    const { id, link } = await ann()

    const asked = await post(`${link}/address`, 'address=Ann%40New.example')
    const proof = await proofOf(id)
    const letterPage = await open(`/address/${proof}`)
    const before = await addressOf(id)
    const moved = await read(await post(`/address/${proof}`))

    expect(asked.status).toBe(303)
    expect(letterPage.querySelector('button')?.textContent).toBe('Use this address')
    expect(before).toBe('ann@example.test')
    expect(await addressOf(id)).toBe('ann@new.example')
    expect(moved.querySelector('h1')?.textContent).toBe('Your issues come here now')
  })

  it('works under the path beside the page as well, and says so when it has been done', async () => {
    const { id, link } = await ann()
    await post(`${link}/address`, 'address=ann%40new.example')
    const path = `/preferences/change/${await proofOf(id)}`

    const answers = [await post(path), await post(path), await app.request(path)]

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await open(path)).querySelector('form')).toBeNull()
  })

  it.each([
    ['what is no address', 'address=ann', 'That is no address'],
    ['nothing', '', 'That is no address'],
    ['the address one has', 'address=ANN%40example.test', 'go to already'],
  ])('refuses %s and says why', async (_, body, why) => {
    const { link } = await ann()
    const before = await everything(database.db)

    const answer = await post(`${link}/address`, body)

    expect(answer.status).toBe(422)
    expect((await read(answer)).querySelector('[role=alert]')?.textContent).toMatch(why)
    expect(await everything(database.db)).toEqual(before)
  })

  it.each([
    ['was never given out', 404, async () => {}],
    ['is 72 hours old', 410, async () => clock.pass('PT72H')],
    [
      'belongs to somebody who left',
      409,
      async (publicId: string) => {
        await unsubscribe({ db: database.db, clock }, publicId, 'page')
      },
    ],
  ] as const)('shows a friendly page, and no button, for a link that %s', async (what, status, happens) => {
    const { id, publicId, link } = await ann()
    await post(`${link}/address`, 'address=ann%40new.example')
    const proof = what === 'was never given out' ? 'x'.repeat(43) : await proofOf(id)
    await happens(publicId)
    const before = await everything(database.db)

    const [opened, pressed] = [await app.request(`/address/${proof}`), await post(`/address/${proof}`)]

    expect([opened.status, pressed.status]).toEqual([status, status])
    expect((await read(opened)).querySelector('form')).toBeNull()
    expect(opened.headers.get('Cache-Control')).toBe('no-store')
    expect(await everything(database.db)).toEqual(before)
  })
})

describe('one’s own data', () => {
  it('is a file to keep', async () => {
    const { link } = await ann()

    const answer = await post(`${link}/export`)

    expect(answer.headers.get('Content-Type')).toContain('application/json')
    expect(answer.headers.get('Content-Disposition')).toContain('attachment')
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(await answer.json()).toMatchObject({ reader: { address: 'ann@example.test' } })
  })

  it('is there for who has left, too', async () => {
    const { link, publicId } = await ann()
    await unsubscribe({ db: database.db, clock }, publicId, 'page')

    const page = await open(link)

    expect([...page.querySelectorAll('form')].map((form) => form.getAttribute('action'))).toEqual([
      `${link}/export`,
      expect.stringMatching(/^\/unsubscribe\/.*\/undo$/),
    ])
    expect((await post(`${link}/export`)).status).toBe(200)
  })
})

describe('being erased', () => {
  it('takes a tick and a press', async () => {
    const { id, link } = await ann()

    const page = await open(`${link}/erase`)
    const untouched = await post(`${link}/erase`)
    const stillThere = await addressOf(id)
    const done = await post(`${link}/erase`, 'sure=yes')

    expect(page.querySelector('input[name=sure]')?.hasAttribute('required')).toBe(true)
    expect(untouched.status).toBe(422)
    expect(stillThere).toBe('ann@example.test')
    expect(done.status).toBe(200)
    expect(await tablesWith(database.db, 'ann@example')).toEqual([])
  })

  it('leaves a link that says so, and does nothing', async () => {
    const { link } = await ann()
    await post(`${link}/erase`, 'sure=yes')
    const before = await everything(database.db)

    const answers = [
      await app.request(link),
      await post(link, 'cadence=weekly'),
      await post(`${link}/export`),
    ]

    expect(answers.map(({ status }) => status)).toEqual([410, 410, 410])
    expect(await everything(database.db)).toEqual(before)
  })
})

describe('the preferences of a test mail', () => {
  it('open and press like a reader’s, and change nothing', async () => {
    await ann()
    const link = `/preferences/${signToken(key, 'preferences', testReader)}`
    const before = await everything(database.db)

    const statuses = [
      await app.request(link),
      await post(link, 'cadence=monthly'),
      await post(`${link}/pause`, 'for=P2W'),
      await post(`${link}/resume`),
      await post(`${link}/address`, 'address=a%40b.test'),
      await post(`${link}/export`),
      await post(`${link}/erase`, 'sure=yes'),
    ].map(({ status }) => status)

    expect(statuses).toEqual([200, 303, 303, 303, 303, 200, 200])
    expect(await everything(database.db)).toEqual(before)
  })
})

describe('my stack', () => {
  it('is listed first, each with its page and a way to take it off, and not offered again', async () => {
    const { link } = await annWho('tool=glyphmoor-vs-kernwick-left&category=Developer+Tools')

    const page = await open(link)

    const rows = [...page.querySelectorAll('.my-stack li')].map((row) => [
      row.querySelector('a')?.getAttribute('href'),
      row.querySelector('button')?.getAttribute('aria-label'),
    ])
    expect(rows).toEqual([
      ['/tools/glyphmoor-vs-kernwick-left', 'Remove glyphmoor-vs-kernwick left'],
      ['/categories/developer-tools', 'Remove Developer Tools'],
    ])
    const offered = [...page.querySelectorAll('input[type=checkbox]')].map((box) => box.getAttribute('value'))
    expect(offered).toEqual(['glyphmoor-vs-kernwick-right'])
  })

  it('loses one thing by its button, and nothing else', async () => {
    const { link } = await annWho('tool=glyphmoor-vs-kernwick-left&category=Developer+Tools')

    const removed = await post(
      link,
      'cadence=weekly&tool=glyphmoor-vs-kernwick-left&category=Developer+Tools&remove=tool%3Aglyphmoor-vs-kernwick-left',
    )

    expect(removed.status).toBe(303)
    expect(await stackOn(link)).toEqual(['Remove Developer Tools'])
  })

  it('keeps the last thing on it while mail comes only for what is followed', async () => {
    const { link } = await annWho('category=Developer+Tools', 'followed')

    const refused = await post(
      link,
      'cadence=followed&category=Developer+Tools&remove=category%3ADeveloper+Tools',
    )

    expect(refused.status).toBe(422)
    expect(await stackOn(link)).toEqual(['Remove Developer Tools'])
  })

  it('is saved, and not made smaller, by the first button, which is the one that Enter presses', async () => {
    const { link } = await annWho('category=Developer+Tools')

    const first = (await open(link)).querySelector(`form[action="${link}"] button`)

    expect(first?.getAttribute('name')).toBeNull()
    expect(first?.getAttribute('tabindex')).toBe('-1')
  })

  it('links to no page that is not there any more', async () => {
    const { link } = await annWho('tool=glyphmoor-vs-kernwick-left')
    await publish(database.db, { ...documentFor('glyphmoor-vs-kernwick'), retracted: true })

    const page = await open(link)

    expect(page.querySelectorAll('.my-stack li')).toHaveLength(1)
    expect(page.querySelector('.my-stack a')).toBeNull()
  })

  it('says at each rhythm what following changes', async () => {
    const { link } = await ann()

    const hints = [...(await open(link)).querySelectorAll('.told small')].map(
      ({ textContent }) => textContent,
    )

    expect(hints[0]).toContain('What you follow changes nothing in it.')
    expect(hints[1]).toContain('whatever you follow')
    expect(hints[2]).toContain('only in weeks with something of yours')
  })
})

async function annWho(follows: string, cadence = 'weekly') {
  await publish(database.db, documentFor('glyphmoor-vs-kernwick'))
  const reader = await ann()
  await post(reader.link, `cadence=${cadence}&${follows}`)
  return reader
}

async function stackOn(link: string) {
  const page = await open(link)
  return [...page.querySelectorAll('.my-stack button')].map((button) => button.getAttribute('aria-label'))
}

async function ann() {
  const reader = await people.ann(database.db)
  return { ...reader, link: `/preferences/${signToken(key, 'preferences', reader.publicId)}` }
}

function post(path: string, body = ''): Promise<Response> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return Promise.resolve(app.request(path, { method: 'POST', body, headers }))
}

async function open(path: string) {
  return read(await app.request(path))
}

async function read(answer: Response) {
  return parseHTML(await answer.text()).document
}

/** What the last letter of a reader carries. */
async function proofOf(subscriberId: number): Promise<string> {
  const letter = await database.db
    .selectFrom('letter')
    .select('id')
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', 'confirm new address')
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow()
  return proofToken(key, letter.id)
}

async function addressOf(id: number): Promise<string | null> {
  const { address } = await database.db
    .selectFrom('subscriber')
    .select('address')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return address
}
