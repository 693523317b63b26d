import { describe, expect, it } from 'vitest'
import { openCardPress, TooManyCards } from '../../src/http/public/card.ts'
import { drawCard } from '../../src/http/public/card-drawing.ts'
import { compareRoutes } from '../../src/http/public/compare.ts'
import { loadPages } from '../../src/template.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { openPostOffice } from '../setup/post-office.ts'

const database = useDatabase()
const slug = 'quillmark-vs-inkling'

describe('the card that a link is shown with', () => {
  it('is a picture of 1200 by 630, which any site may show', async () => {
    await publish(database.db, documentFor(slug))

    const { headers, bytes, status } = await card()

    expect(status).toBe(200)
    expect(headers.get('Content-Type')).toBe('image/png')
    expect(headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin')
    expect(sizeOf(bytes)).toEqual({ width: 1200, height: 630 })
  })

  it('is kept for good under the version that the page names, until a revision', async () => {
    await publish(database.db, documentFor(slug))
    const clock = clockAt(friday)
    const app = appOn(database, { clock })
    const link = await pictureLink(app)
    const kept = await app.request(link)
    await publishComparison(
      { db: database.db, clock: clockAt('2026-11-19T10:00:00Z') },
      documentFor(slug, {}, [2, 2]),
    )
    clock.pass('PT2S')

    const later = await app.request(link)

    expect(kept.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable')
    expect(later.headers.get('Cache-Control')).toBe('public, max-age=300')
    expect(await pictureLink(app)).not.toBe(link)
    expect(later.headers.get('ETag')).not.toBe(kept.headers.get('ETag'))
  })

  it('is not sent again to who has it', async () => {
    await publish(database.db, documentFor(slug))
    const app = appOn(database)
    const etag = (await app.request(`/compare/${slug}/card.png`)).headers.get('ETag') ?? ''

    const again = await app.request(`/compare/${slug}/card.png`, { headers: { 'If-None-Match': etag } })

    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
  })

  it('asks the question and names nobody where a name has signs that we have no letters for', async () => {
    const [nameless, ...others] = await draw('日本語の道具', 'أداة', 'कलम', 'Ship 🚀', 'Pri\u{10ffff}')
    const named = await draw('Žluťoučký kůň', 'Ёлка', 'Λόγος', 'Đặng Thái', 'AT&T <b>', '$0.01 – “quoted”…')

    expect(others.map((other) => other === nameless)).toEqual(others.map(() => true))
    expect(named.map((other) => other === nameless)).toEqual(named.map(() => false))
  })

  it('is drawn for as many as will soon be served, and for nobody beyond', async () => {
    const press = openCardPress()

    const drawn = await Promise.allSettled(Array.from({ length: 50 }, () => press.draw(naming('Inkling'))))

    const refused = drawn.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused.length).toBeGreaterThan(0)
    expect(drawn.length - refused.length).toBeGreaterThanOrEqual(32)
    expect(refused.every((reason) => reason instanceof TooManyCards)).toBe(true)
  })

  it('asks whoever is beyond to come again', async () => {
    await publish(database.db, documentFor(slug))
    const press = { draw: () => Promise.reject(new TooManyCards()) }
    const parts = { clock: clockAt(friday), transport: openPostOffice() }
    const deps = {
      ...newsletterWith(database, parts),
      pages: loadPages(),
      challenge: { kind: 'none' } as const,
    }

    const answer = await compareRoutes(deps, press).request(`/compare/${slug}/card.png`)

    expect(answer.status).toBe(503)
    expect(answer.headers.get('Retry-After')).toBe('10')
  })
})

async function draw(...names: string[]): Promise<readonly string[]> {
  const pictures: string[] = []
  for (const name of names) pictures.push(Buffer.from(await drawCard(naming(name))).toString('base64'))
  return pictures
}

function naming(name: string) {
  const verdict = { stamp: 'ship', percent: 100, panelLabel: '4 of 4 ship it' } as const
  const tools = [
    { name: 'Quillmark', ...verdict },
    { name, ...verdict },
  ]
  return { sentence: `Panel ships both; ${name} is free to start.`, tools }
}

async function card() {
  const answer = await appOn(database).request(`/compare/${slug}/card.png`)
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) }
}

async function pictureLink(app: ReturnType<typeof appOn>): Promise<string> {
  const html = await (await app.request(`/compare/${slug}`)).text()
  const [, path = ''] = /og:image" content="https:\/\/news\.example\.com([^"]+)"/.exec(html) ?? []
  return path.replaceAll('&#x3D;', '=')
}

/** From the header of a PNG (RFC 2083, 11.2.2). */
function sizeOf(png: Buffer) {
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) }
}
