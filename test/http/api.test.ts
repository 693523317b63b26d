import { Validator } from '@seriousme/openapi-schema-validator'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { problems } from '../../src/http/api/problem.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { findRevision, listRevisions } from '../../src/verdict/revisions.ts'
import { apiToken, siteOn } from '../setup/api.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish, sampleDocuments } from '../setup/comparisons.ts'
import { isOnPostgres, useDatabase } from '../setup/database.ts'
import { friday } from '../setup/delivery.ts'

const database = useDatabase()
const quillmark = documentFor('quillmark')

describe('a document that is put', () => {
  it('makes a comparison, says where it is, and is on its page', async () => {
    const site = await siteOn(database)

    const made = await site.put(quillmark)

    expect([made.status, made.headers.get('Comparison-Outcome')]).toEqual([201, 'created'])
    expect(made.headers.get('Location')).toBe('https://news.example.com/api/comparisons/quillmark')
    expect(made.body).toEqual(quillmark)
    const shown = await site.app.request('/compare/quillmark')
    expect(shown.status).toBe(200)
    expect(await shown.text()).toContain(quillmark.title)
  })

  it('again changes nothing, however its fields are ordered', async () => {
    const site = await siteOn(database)
    const made = await site.put(quillmark)
    const { slug, ...others } = quillmark

    const again = await site.put({ ...others, slug })

    expect([again.status, again.headers.get('Comparison-Outcome')]).toEqual([200, 'unchanged'])
    expect(again.headers.get('ETag')).toBe(made.headers.get('ETag'))
    expect(await revisions()).toEqual([[1, 'api', quillmark.title]])
  })

  it('with changes becomes the next revision, which its page shows a second later', async () => {
    const clock = clockAt(friday)
    const site = await siteOn(database, { clock })
    await site.put(quillmark)
    await site.app.request('/compare/quillmark')
    clock.pass('PT2S')

    const updated = await site.put({ ...quillmark, title: 'Quillmark, once more' })

    expect([updated.status, updated.headers.get('Comparison-Outcome')]).toEqual([200, 'updated'])
    expect(updated.headers.get('Comparison-Revision')).toBe('2')
    expect(await revisions()).toEqual([
      [2, 'api', 'Quillmark, once more'],
      [1, 'api', quillmark.title],
    ])
    expect(await (await site.app.request('/compare/quillmark')).text()).toContain('Quillmark, once more')
  })

  it('is answered as it is kept: trimmed, in NFC, with the tag of that', async () => {
    const site = await siteOn(database)

    const made = await site.put({ ...quillmark, title: '  Cafe\u0301 \r\n' })

    expect(made.body.title).toBe('Caf\u00e9')
    const kept = await site.get('quillmark')
    expect(kept.body).toEqual(made.body)
    expect(kept.headers.get('ETag')).toBe(made.headers.get('ETag'))
  })

  it('can be read again even where NFC makes a text longer', async () => {
    const site = await siteOn(database)

    expect((await site.put({ ...quillmark, title: '\u0958'.repeat(200) })).status).toBe(422)
    expect((await site.put({ ...quillmark, title: '\u0958'.repeat(125) })).status).toBe(201)

    expect((await site.get('quillmark')).body.title).toHaveLength(250)
  })

  it('may be any sample, byte order mark and charset and all', async () => {
    const site = await siteOn(database)
    for (const document of sampleDocuments().values())
      expect((await site.put(document)).body).toEqual(document)

    const bytes = new TextEncoder().encode(`\ufeff${JSON.stringify(quillmark)}`)
    const made = await site.putText('quillmark', bytes, {
      'content-type': 'Application/JSON; charset="UTF-8"',
    })
    expect(made.status).toBe(201)
  })

  it('may be the largest there can be, with every character escaped', async () => {
    const site = await siteOn(database)
    const large = (length: number) => '\u4e16'.repeat(length)
    const reviewers = Array.from({ length: 12 }, (_, n) => `reviewer-${n}`)
    const document = {
      ...quillmark,
      tools: quillmark.tools.map((tool) => ({
        ...tool,
        description: large(6000),
        reviews: reviewers.map((reviewer) => ({ reviewer, verdict: 'ship', quote: large(8000) })),
      })),
    }
    const escaped = JSON.stringify(document).replaceAll('\u4e16', '\\u4e16')

    expect((await site.putText('quillmark', escaped)).status).toBe(201)
  })
})

describe('a comparison that is read', () => {
  it('is not sent again to whoever has it', async () => {
    const site = await siteOn(database)
    const etag = (await site.put(quillmark)).headers.get('ETag') ?? ''

    expect((await site.get('quillmark', { 'if-none-match': `"other", W/${etag}` })).status).toBe(304)
    expect((await site.get('quillmark', { 'if-none-match': '"other"' })).status).toBe(200)
    expect((await site.ask('HEAD', 'quillmark')).headers.get('ETag')).toBe(etag)
  })

  it.each(['nothing', '%00', '..%2f..', '%E0%A4%A', 'A', 'x'.repeat(3000)])(
    'is not found as %s, nor retracted',
    async (slug) => {
      const site = await siteOn(database)

      expect([(await site.get(slug)).status, (await site.remove(slug)).status]).toEqual([404, 404])
    },
  )
})

describe('a comparison that is deleted', () => {
  it('is retracted, once, and the holder of the token can still read it', async () => {
    const site = await siteOn(database)
    const made = await site.put(quillmark)

    const removed = await site.remove('quillmark', { 'if-match': made.headers.get('ETag') ?? '' })
    const again = await site.remove('quillmark')

    expect([removed.status, again.status]).toEqual([204, 204])
    const kept = await site.get('quillmark')
    expect(kept.body).toEqual({ ...quillmark, retracted: true })
    expect([removed, again, kept].map(({ headers }) => headers.get('ETag'))).toEqual(
      Array(3).fill(kept.headers.get('ETag')),
    )
    expect((await revisions()).map(([revision, by]) => [revision, by])).toEqual([
      [2, 'api'],
      [1, 'api'],
    ])
    expect((await site.app.request('/compare/quillmark')).status).toBe(410)
  })

  it('comes back when the site puts its document', async () => {
    const site = await siteOn(database)
    await site.put(quillmark)
    await site.remove('quillmark')

    expect((await site.put(quillmark)).headers.get('Comparison-Outcome')).toBe('updated')
    expect((await site.app.request('/compare/quillmark')).status).toBe(200)
  })

  it('by an editor does not come back by chance, only with the tag of what the editor did', async () => {
    const site = await siteOn(database)
    await site.put(quillmark)
    await bring({ ...quillmark, retracted: true }, 'eve@example.com')

    const byChance = await site.put(quillmark)

    expect(byChance.status).toBe(428)
    expect(byChance.body.current).toMatchObject({ revision: 2, retracted: true })
    expect((await site.get('quillmark')).body.retracted).toBe(true)
    const meant = await site.put(quillmark, { 'if-match': byChance.body.current.etag })
    expect(meant.headers.get('Comparison-Outcome')).toBe('updated')
  })
})

describe('a condition', () => {
  it('that is not met changes nothing, and the answer says what there is', async () => {
    const site = await siteOn(database)
    const old = (await site.put(quillmark)).headers.get('ETag') ?? ''
    await bring({ ...quillmark, title: 'Eve’s title' }, 'eve@example.com')
    const now = (await site.get('quillmark')).headers.get('ETag')

    const mine = { ...quillmark, title: 'Mine' }
    for (const headers of [
      { 'if-match': old },
      { 'if-match': `W/${now}` },
      { 'if-match': 'nonsense' },
      { 'if-none-match': '*' },
      { 'if-none-match': `"x", ${now}` },
    ]) {
      const refused = await site.put(mine, headers)
      expect([refused.status, refused.headers.get('ETag')], JSON.stringify(headers)).toEqual([412, now])
      expect(refused.body.current).toEqual({ etag: now, revision: 2, retracted: false, same: false })
    }
    expect((await site.remove('quillmark', { 'if-match': old })).status).toBe(412)
    expect((await site.get('quillmark', { 'if-match': old })).status).toBe(412)
    expect((await site.get('quillmark')).body.title).toBe('Eve’s title')
  })

  it('that is met lets it happen', async () => {
    const site = await siteOn(database)
    const made = await site.put(quillmark, { 'if-none-match': '*' })

    const named = await site.put(
      { ...quillmark, title: 'Second' },
      { 'if-match': `"x", ${made.headers.get('ETag')}` },
    )
    const any = await site.put({ ...quillmark, title: 'Third' }, { 'if-match': '*' })

    expect([made.status, named.status, any.status]).toEqual([201, 200, 200])
  })

  it('cannot be met where there is nothing', async () => {
    const site = await siteOn(database)

    const refused = await site.put(quillmark, { 'if-match': '*' })

    expect([refused.status, refused.body.current]).toEqual([412, null])
    expect((await site.get('quillmark')).status).toBe(404)
  })

  it('after an answer was lost tells that the request had arrived', async () => {
    const site = await siteOn(database)
    const etag = (await site.put(quillmark)).headers.get('ETag') ?? ''
    const second = { ...quillmark, title: 'Second' }
    await site.put(second, { 'if-match': etag })

    const again = await site.put(second, { 'if-match': etag })

    expect([again.status, again.body.current.same]).toEqual([412, true])
  })
})

describe('what is put at the same moment', () => {
  it.each([2, 12])('by %i who know the same revision is taken from one of them', async (many) => {
    const site = await siteOn(database)
    const etag = (await site.put(quillmark)).headers.get('ETag') ?? ''

    const answers = await Promise.all(
      Array.from({ length: many }, (_, n) =>
        site.put({ ...quillmark, title: `Title ${n}` }, { 'if-match': etag }),
      ),
    )

    expect(statusesOf(answers)).toEqual([200, ...Array(many - 1).fill(412)])
    const winner = answers.find(({ status }) => status === 200)
    expect((await site.get('quillmark')).body).toEqual(winner?.body)
    expect(await revisions()).toHaveLength(2)
  })

  it('makes one comparison of fifty, and the others change nothing', async () => {
    const site = await siteOn(database)

    const answers = await Promise.all(Array.from({ length: 50 }, () => site.put(quillmark)))

    expect(statusesOf(answers)).toEqual([...Array(49).fill(200), 201])
    expect(await revisions()).toHaveLength(1)
  })

  it('is taken from one of twenty who each mean to make it', async () => {
    const site = await siteOn(database)

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        site.put({ ...quillmark, title: `Title ${n}` }, { 'if-none-match': '*' }),
      ),
    )

    expect(statusesOf(answers)).toEqual([201, ...Array(19).fill(412)])
    expect(await revisions()).toHaveLength(1)
  })

  it('and retracted is one after the other', async () => {
    const site = await siteOn(database)
    const etag = (await site.put(quillmark)).headers.get('ETag') ?? ''

    const answers = await Promise.all([
      site.put({ ...quillmark, title: 'Second' }, { 'if-match': etag }),
      site.remove('quillmark', { 'if-match': etag }),
    ])

    expect(answers.filter(({ status }) => status === 412)).toHaveLength(1)
    expect(await revisions()).toHaveLength(2)
  })
})

describe('a body that cannot be taken', () => {
  it('tells each place that is wrong, by pointer, line and column, and nothing is half done', async () => {
    const site = await siteOn(database)
    const [left, right] = quillmark.tools
    const wrong = {
      ...quillmark,
      'a/b~c': 1,
      title: undefined,
      tools: [
        { ...left, reviews: left?.reviews.map((one, n) => (n === 1 ? { ...one, quote: 7 } : one)) },
        right,
      ],
    }

    const refused = await site.putText('quillmark', JSON.stringify(wrong, null, 2))

    expect(refused.status).toBe(422)
    expect(refused.body.type).toBe('https://news.example.com/openapi.json#/components/responses/Invalid')
    expect(refused.body.errors).toEqual([
      { path: '/title', message: 'is missing; expected text', line: 1, column: 1 },
      { path: '/tools/0/reviews/1/quote', message: 'expected text, found a number', line: 21, column: 20 },
      { path: '/a~1b~0c', message: 'unknown field', line: 66, column: 12 },
    ])
    expect((await site.get('quillmark')).status).toBe(404)
  })

  it.each([
    ['a comma too few', '{\n  "slug": "quillmark"\n  "title": "x"\n}', 3, 3, 'comma expected'],
    ['a comma too many', '{"slug": "quillmark",}', 1, 22, 'property name expected'],
    ['nothing', '', 1, 1, 'value expected'],
    ['half a document', '{"slug": "quill', 1, 10, 'unexpected end of string'],
    ['a comment', '{} // mine', 1, 4, 'invalid comment token'],
    ['no JSON', '<html>', 1, 1, 'invalid symbol'],
    ['two documents', '{}\n{}', 2, 1, 'end of file expected'],
  ])('is placed when it is %s', async (_, text, line, column, problem) => {
    const refused = await (await siteOn(database)).putText('quillmark', text)

    expect(refused.status).toBe(400)
    expect(refused.body.errors).toEqual([{ path: '', message: `not valid JSON: ${problem}`, line, column }])
    expect(refused.body.detail).toContain(`Line ${line}, column ${column}`)
  })

  it('has a field twice', async () => {
    const site = await siteOn(database)
    const text = JSON.stringify(quillmark).replace(
      '"entryPrice":"paid"',
      '"entryPrice":"paid",\n"name":"Two"',
    )

    const refused = await site.putText('quillmark', text)

    expect(refused.status).toBe(422)
    expect(refused.body.errors).toEqual([
      { path: '/tools/1/name', message: 'is there twice', line: 2, column: 1 },
    ])
  })

  it('has another slug than its address', async () => {
    const site = await siteOn(database)

    const refused = await site.putText('inkling', JSON.stringify(quillmark))

    expect(refused.status).toBe(422)
    expect(refused.body.errors).toMatchObject([
      { path: '/slug', message: 'expected "inkling", as in the address' },
    ])
    expect([(await site.get('inkling')).status, (await site.get('quillmark')).status]).toEqual([404, 404])
  })

  it.each([
    ['a year before all years', { publishedAt: '0000-01-01T00:00:00Z' }],
    ['a year after all years', { publishedAt: '9999-12-31T23:59:59-23:59' }],
    ['half a character', { title: 'x\ud800' }],
    ['a character that is none', { title: 'x\u0000y' }],
    [
      'votes without end',
      {
        title: 'x',
        tools: quillmark.tools.map((tool) => ({ ...tool, community: { ship: 1e300, skip: 0 } })),
      },
    ],
  ])('has %s', async (_, changes) => {
    const refused = await (await siteOn(database)).put({ ...quillmark, ...changes })

    expect(refused.status).toBe(422)
  })

  it.each([
    ['nested without end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 422, 'is nested more deeply'],
    ['nested without end, and no end', '{"a":'.repeat(200_000), 400, 'is nested more deeply'],
    ['of a million values', `[${'{},'.repeat(600_000)}{}]`, 422, 'has more values than any comparison'],
    ['one name of a megabyte', `{"${'x'.repeat(1_000_000)}": 1}`, 422, 'unknown field'],
  ])('is %s, and the answer stays small', async (_, text, status, message) => {
    const refused = await (await siteOn(database)).putText('quillmark', text)

    expect(refused.status).toBe(status)
    const errors = JSON.stringify(refused.body.errors)
    expect(errors).toContain(message)
    expect(errors.length).toBeLessThan(10_000)
  })

  it.each([
    ['no type', { 'content-type': '' }, 415],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['text', { 'content-type': 'text/json' }, 415],
    ['another charset', { 'content-type': 'application/json; charset=iso-8859-1' }, 415],
    ['compressed', { 'content-encoding': 'gzip' }, 415],
  ])('is refused as %s', async (_, headers, status) => {
    const refused = await (await siteOn(database)).put(quillmark, headers)

    expect(refused.status).toBe(status)
    expect(refused.headers.get('Accept')).toBe('application/json')
  })

  it('is not in UTF-8', async () => {
    const site = await siteOn(database)
    const latin = new Uint8Array(Buffer.from(JSON.stringify({ ...quillmark, title: 'Café' }), 'latin1'))

    expect((await site.putText('quillmark', latin)).status).toBe(400)
    const utf16 = new Uint8Array(Buffer.from(`\ufeff${JSON.stringify(quillmark)}`, 'utf16le'))
    expect((await site.putText('quillmark', utf16)).status).toBe(400)
  })

  it('is larger than any document, whether it says so or not', async () => {
    const site = await siteOn(database)
    const large = `${' '.repeat(2 * 2 ** 20)}{}`
    const { body } = new Response(large)

    expect((await site.putText('quillmark', large)).status).toBe(413)
    expect((await site.putText('quillmark', large, { 'content-length': String(large.length) })).status).toBe(
      413,
    )
    const headers = { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' }
    const unknown = await site.app.request(
      new Request('https://news.example.com/api/comparisons/quillmark', {
        ...{ method: 'PUT', body, headers },
        duplex: 'half',
      }),
    )
    expect(unknown.status).toBe(413)
  })

  it('is never the end of us, whatever it is', async () => {
    const site = await siteOn(database)
    const text = JSON.stringify(quillmark)
    const spoiled = fc
      .tuple(fc.nat(text.length), fc.nat(40), fc.string({ unit: 'binary', maxLength: 20 }))
      .map(([at, length, put]) => text.slice(0, at) + put + text.slice(at + length))
    const field = fc.constantFrom('slug', 'publishedAt', 'title', 'tools', 'retracted', '__proto__')
    const changed = fc
      .tuple(field, fc.jsonValue({ noUnicodeString: false }))
      .map(([name, value]) => JSON.stringify({ ...quillmark, [name]: value }))
    const tool = fc
      .tuple(
        fc.constantFrom(
          'slug',
          'name',
          'category',
          'tagline',
          'description',
          'entryPrice',
          'priceNote',
          'url',
        ),
        fc.string({ unit: 'binary', maxLength: 300 }),
      )
      .map(([name, value]) =>
        JSON.stringify({ ...quillmark, tools: quillmark.tools.map((one) => ({ ...one, [name]: value })) }),
      )

    await fc.assert(
      fc.asyncProperty(fc.oneof(spoiled, changed, tool, fc.json()), async (body) => {
        const put = await site.putText('quillmark', body)
        expect([200, 201, 400, 422]).toContain(put.status)
        expect((await site.get('quillmark')).status).toBe(
          (await findRevision(database.db, 'quillmark')) ? 200 : 404,
        )
      }),
      { numRuns: isOnPostgres ? 150 : 60, seed: 20_261_120 },
    )
  })
})

describe('whoever asks', () => {
  it.each([
    ['without a token', {}, 'Bearer realm="comparisons"'],
    [
      'with a wrong one',
      { authorization: 'Bearer another' },
      'Bearer realm="comparisons", error="invalid_token"',
    ],
    ['by password', { authorization: 'Basic YTpi' }, 'Bearer realm="comparisons"'],
  ])('%s learns nothing and changes nothing', async (_, headers, challenge) => {
    await publish(database.db, quillmark)
    const { app } = await siteOn(database)

    for (const method of ['GET', 'PUT', 'DELETE', 'POST'])
      for (const path of ['comparisons/quillmark', 'comparisons/nothing', 'other']) {
        const refused = await app.request(`/api/${path}`, {
          method,
          headers: headers as Record<string, string>,
        })
        expect([refused.status, refused.headers.get('WWW-Authenticate')]).toEqual([401, challenge])
      }
    expect(await revisions()).toHaveLength(1)
  })

  it('finds it closed when no token was set', async () => {
    const { app } = await siteOn(database, { environment: { API_TOKEN: '' } })

    const refused = await app.request('/api/comparisons/quillmark', { headers: { authorization: 'Bearer ' } })

    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('API_TOKEN') })
  })

  it('is shut out after ten guesses, with their network, until a quarter of an hour is over', async () => {
    const clock = clockAt(friday)
    const { app } = await siteOn(database, { clock })
    const ask = (token: string, address: string) =>
      app.request(
        '/api/comparisons/quillmark',
        { headers: { authorization: `Bearer ${token}` } },
        { incoming: { socket: { remoteAddress: address } } },
      )

    for (let n = 0; n < 10; n++) expect((await ask(`guess-${n}`, '198.51.100.7')).status).toBe(401)

    const shutOut = await ask(apiToken, '198.51.100.99')
    expect([shutOut.status, shutOut.headers.get('Retry-After')]).toEqual([429, '900'])
    expect((await ask(apiToken, '203.0.113.5')).status).toBe(404)
    clock.pass('PT16M')
    expect((await ask(apiToken, '198.51.100.7')).status).toBe(404)
  })

  it('with one wrong token again and again is only told so', async () => {
    const { app } = await siteOn(database)
    const ask = (token: string) =>
      app.request('/api/comparisons/quillmark', { headers: { authorization: `Bearer ${token}` } })

    for (let n = 0; n < 15; n++) expect((await ask('the-token-before-this-one')).status).toBe(401)

    expect((await ask(apiToken)).status).toBe(404)
  })

  it('is told the methods that there are', async () => {
    const site = await siteOn(database)

    for (const method of ['POST', 'PATCH', 'OPTIONS']) {
      const refused = await site.ask(method, 'quillmark')
      expect([refused.status, refused.headers.get('Allow')]).toEqual([405, 'GET, HEAD, PUT, DELETE'])
    }
  })

  it('gets a problem, and no page, where there is nothing or something broke', async () => {
    const site = await siteOn(database)
    await publish(database.db, quillmark)
    await database.db
      .updateTable('comparison_revision')
      .set({ document: JSON.stringify({ broken: true }) })
      .execute()

    const headers = { authorization: `Bearer ${apiToken}` }
    const nothing = await site.app.request('/api/readers', { headers })
    const broken = await site.get('quillmark')

    expect([nothing.status, nothing.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    expect([broken.status, broken.headers.get('X-Content-Type-Options')]).toEqual([500, 'nosniff'])
  })
})

describe('the description', () => {
  it('is OpenAPI 3.1, by a validator that is not ours, and is not sent twice', async () => {
    const { app } = await siteOn(database)

    const served = await app.request('/openapi.json')

    const text = await served.text()
    const validator = new Validator()
    expect(await validator.validate(JSON.parse(text))).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
    const headers = { 'if-none-match': served.headers.get('ETag') ?? '' }
    expect((await app.request('/openapi.json', { headers })).status).toBe(304)
    expect((await app.request('/openapi.json', { method: 'POST' })).status).toBe(405)
  })

  it('has every kind of problem where its type leads', async () => {
    const { app } = await siteOn(database)

    const served = await (await app.request('/openapi.json')).json()

    for (const name of Object.keys(problems)) expect(served).toHaveProperty(['components', 'responses', name])
  })
})

function statusesOf(answers: readonly { readonly status: number }[]): readonly number[] {
  return answers.map(({ status }) => status).sort()
}

async function bring(document: typeof quillmark, by: string): Promise<void> {
  await publishComparison({ db: database.db, clock: clockAt(friday) }, document, by)
}

/** The comparison's revisions, newest first: number, whoever brought it, and title. */
async function revisions() {
  const kept = await listRevisions(database.db, 'quillmark', { most: 100 })
  return kept.map(({ revision, by, document }) => [revision, by, document.title])
}
