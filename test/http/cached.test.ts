import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { answerKept, cachePages } from '../../src/http/public/cached.ts'
import { clockAt } from '../setup/clock.ts'
import { friday } from '../setup/delivery.ts'

describe('pages kept in memory', () => {
  it('are looked at once a second, and made again only when they changed', async () => {
    const { clock, pages, counts, source } = library()
    for (let asked = 0; asked < 5; asked += 1) await pages('a')
    const first = { ...counts }
    clock.pass('PT1S')
    await pages('a')
    const unchanged = { ...counts }
    source.a = 'another'
    clock.pass('PT1S')

    const page = await pages('a')

    expect(first).toEqual({ looked: 1, made: 1 })
    expect(unchanged).toEqual({ looked: 2, made: 1 })
    expect(counts).toEqual({ looked: 3, made: 2 })
    expect(page?.pieces.join('')).toBe('another')
  })

  it('are made once for everybody who asks meanwhile', async () => {
    const { pages, counts } = library()

    await Promise.all(Array.from({ length: 50 }, () => pages('a')))

    expect(counts).toEqual({ looked: 1, made: 1 })
  })

  it('are gone when their page is', async () => {
    const { clock, pages, source } = library()
    await pages('a')
    delete source.a
    clock.pass('PT1S')

    expect(await pages('a')).toBeUndefined()
  })

  it('leave when there are too many, the ones nobody asks for first', async () => {
    const { pages, counts } = library({ mostBytes: 150 })
    for (const key of ['a', 'b', 'a', 'c']) await pages(key)
    const before = counts.made

    await pages('a')
    const kept = counts.made - before
    await pages('b')

    expect(kept).toBe(0)
    expect(counts.made - before).toBe(1)
  })

  it('try again after a failure', async () => {
    let isDown = true
    const pages = cachePages(
      { clock: clockAt(friday) },
      {
        mostBytes: 1_000,
        look: async () => {
          if (isDown) throw new Error('The database is down')
          return { stamp: '1', make: async () => ({ body: 'up', type: 'text/plain' }) }
        },
      },
    )
    await expect(pages('a')).rejects.toThrow('down')
    isDown = false

    expect((await pages('a'))?.pieces).toEqual(['up'])
  })
})

describe('an answer', () => {
  it.each([
    ['the same tag', (etag: string) => etag],
    ['the tag as a proxy weakened it', (etag: string) => `W/${etag.replace(/^W\//, '')}`],
    ['one of several', (etag: string) => `"other", ${etag}`],
    ['any', () => '*'],
  ])('is 304 for who has %s', async (_, header) => {
    const app = served()
    const { headers } = await app.request('/a')

    const again = await app.request('/a', { headers: { 'If-None-Match': header(headers.get('ETag') ?? '') } })

    expect(again.status).toBe(304)
    expect(again.headers.get('ETag')).toBe(headers.get('ETag'))
    expect(again.headers.get('Cache-Control')).toBe('public, max-age=60')
    expect(await again.text()).toBe('')
  })

  it('comes whole for who has another', async () => {
    const answer = await served().request('/a', { headers: { 'If-None-Match': '"other"' } })

    expect(answer.status).toBe(200)
  })

  it('says when its form was shown each time, under one tag', async () => {
    let times = 0
    const app = served({ shownAt: 'FIRST', next: () => `time-${++times}` })

    const answers = [await app.request('/form'), await app.request('/form')]

    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['<time-1>', '<time-2>'])
    expect(answers[0]?.headers.get('ETag')).toMatch(/^W\//)
    expect(answers[0]?.headers.get('ETag')).toBe(answers[1]?.headers.get('ETag'))
  })
})

function library({ mostBytes = 100_000 } = {}) {
  const clock = clockAt(friday)
  const source: Record<string, string> = { a: 'x'.repeat(20), b: 'y'.repeat(20), c: 'z'.repeat(20) }
  const counts = { looked: 0, made: 0 }
  const pages = cachePages(
    { clock },
    {
      mostBytes,
      look: async (key) => {
        counts.looked += 1
        const body = source[key]
        if (body === undefined) return undefined
        return {
          stamp: body,
          make: async () => {
            counts.made += 1
            return { body, type: 'text/plain' }
          },
        }
      },
    },
  )
  return { clock, pages, counts, source }
}

function served({ shownAt, next = () => '' }: { shownAt?: string; next?: () => string } = {}) {
  const pages = cachePages(
    { clock: clockAt(friday) },
    {
      mostBytes: 1_000,
      look: async () => ({
        stamp: '1',
        make: async () => ({ body: '<FIRST>', type: 'text/html', ...(shownAt && { shownAt }) }),
      }),
    },
  )
  return new Hono().get('/:key', async (c) => {
    const page = await pages(c.req.param('key'))
    return page ? answerKept(c, page, { cacheControl: 'public, max-age=60', shownAt: next() }) : c.notFound()
  })
}
