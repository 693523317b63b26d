import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import type { ComparisonDocument } from '../../src/verdict/document.ts'
import { publishComparison } from '../../src/verdict/publish.ts'
import { appOn } from '../setup/app.ts'
import { clockAt } from '../setup/clock.ts'
import { documentFor, publish, sampleDocuments } from '../setup/comparisons.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue, friday } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()
const seed = sampleDocuments().get('claude-4-sonnet-vs-smolvlm2') ?? documentFor('missing')

describe("the seed's comparison at /compare/claude-4-sonnet-vs-smolvlm2", () => {
  it('says everything that the seed says, in its order', async () => {
    await publish(database.db, seed)

    const { document } = await page(seed.slug)

    const text = words(document.querySelector('main')?.textContent ?? '')
    let from = 0
    for (const fact of factsOf(seed)) {
      const at = text.indexOf(words(fact), from)
      expect(at, `"${fact}" after "${text.slice(Math.max(0, from - 60), from)}"`).toBeGreaterThan(-1)
      from = at + words(fact).length
    }
  })

  it('answers the question before anything else: the verdict of the pair and its pricing read', async () => {
    await publish(database.db, seed)

    const { document } = await page(seed.slug)

    expect(document.querySelector('.answer')?.textContent).toBe(
      'Panel ships both; SmolVLM2 is free to start.',
    )
    expect(words(document.querySelector('#pricing + p')?.textContent ?? '')).toBe(
      'SmolVLM2 is free to start.',
    )
  })

  it('sets the quotes of one lens side by side, like under like', async () => {
    await publish(database.db, seed)

    const { document } = await page(seed.slug)

    const lenses = [...document.querySelectorAll('.lens')].map((lens) => ({
      lens: lens.querySelector('h3')?.textContent,
      on: [...lens.querySelectorAll('.on bdi')].map(({ textContent }) => textContent),
    }))
    const both = ['Claude 4 Sonnet', 'SmolVLM2']
    expect(lenses).toEqual(['Builder', 'Skeptic', 'Futurist', 'Founder'].map((lens) => ({ lens, on: both })))
  })
})

describe('a comparison on the web', () => {
  it('marks who ships one and skips the other', async () => {
    await publish(database.db, documentFor('quillmark-vs-inkling', {}, [4, 2]))

    const { document } = await page('quillmark-vs-inkling')

    const marked = [...document.querySelectorAll('.grid .parts th a')].map(({ textContent }) => textContent)
    expect(marked).toEqual(['Futurist', 'Founder'])
    expect(document.querySelector('#split + p')?.textContent).toBe(
      'Futurist and Founder ship one and skip the other; the rest of the panel does not tell them apart.',
    )
  })

  it.each([
    [{ ship: 0, skip: 0 }, '— Community no votes yet'],
    [{ ship: 3, skip: 1 }, '— Community 4 readers so far'],
    [{ ship: 4, skip: 1 }, '80% Community of 5 readers'],
    [{ ship: 1200, skip: 34 }, '97% Community of 1,234 readers'],
  ])('says what the community thinks of it once five have voted: %o', async (community, shown) => {
    const { tools, ...rest } = documentFor('quillmark-vs-inkling')
    await publish(database.db, { ...rest, tools: tools.map((tool) => ({ ...tool, community })) })

    const { document } = await page('quillmark-vs-inkling')

    const figures = [...document.querySelectorAll('.figure')].map(({ textContent }) =>
      words(textContent ?? ''),
    )
    expect(figures.filter((figure) => figure === shown)).toHaveLength(2)
  })

  it('names the issue that it went out in, once it has', async () => {
    await people.ann(database.db)
    const { deps } = await dueIssue(database)
    const before = await page('glyphmoor-vs-kernwick')
    await sendIssue(deps, '2026-W47')

    const after = await page('glyphmoor-vs-kernwick')

    expect(before.document.querySelector('.provenance a')).toBeNull()
    expect(after.document.querySelector('.provenance a')?.getAttribute('href')).toBe('/issues/2026-W47')
    expect(after.document.querySelector('.provenance')?.textContent).toContain('20 November 2026')
  })

  it('tells search engines and link previews what it is, truly, and in words of JSON that end no element', async () => {
    await publish(database.db, { ...seed, title: 'Claude </script><script>alert(1)</script> & co' })

    const { document, html } = await page(seed.slug)

    const url = `https://news.example.com/compare/${seed.slug}`
    expect(document.querySelector('link[rel=canonical]')?.getAttribute('href')).toBe(url)
    expect(document.querySelector('meta[name=description]')?.getAttribute('content')).toBe(
      'Claude 4 Sonnet or SmolVLM2: which one should you ship with? Panel ships both; SmolVLM2 is free to start.',
    )
    expect(document.querySelector('meta[property="og:image"]')?.getAttribute('content')).toMatch(
      new RegExp(`^${url}/card\\.png\\?v=[\\w-]{12}$`),
    )
    expect(
      [...document.querySelectorAll('link[rel=alternate]')].map((link) => link.getAttribute('href')),
    ).toEqual(['/feed.xml', '/feed.json'])
    expect(html.match(/<script/g)).toHaveLength(1)
    const data = JSON.parse(document.querySelector('script[type="application/ld+json"]')?.textContent ?? '')
    expect(data).toMatchObject({ '@type': 'Article', url, datePublished: '2026-11-18T14:00:00Z' })
    const items = data.mainEntity.itemListElement
    expect(items.map(({ item }: { item: { name: string } }) => item.name)).toEqual([
      'Claude 4 Sonnet',
      'SmolVLM2',
    ])
    expect(items[1].item.review[3]).toMatchObject({
      ...{ name: 'Ship', reviewAspect: 'Founder', reviewBody: seed.tools[1]?.reviews[3]?.quote },
    })
    expect(JSON.stringify(data)).not.toMatch(/rating/i)
  })

  it('keeps markup in every field as text', async () => {
    for (const [at, attack] of attacks.entries()) await publish(database.db, hostile(`attack-${at}`, attack))

    const app = appOn(database)
    const plain = await page('attack-0', app)
    for (const [at, attack] of attacks.entries()) {
      const { document, html, status } = await page(`attack-${at}`, app)
      expect(status).toBe(200)
      expect(shapeOf(document), attack).toEqual(shapeOf(plain.document))
      expect(document.querySelector('h1')?.textContent).toBe(attack)
      expect(document.querySelector('blockquote')?.textContent).toBe(`“${attack}”`)
      const data = /<script type="application\/ld\+json">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
      expect(data).not.toMatch(/[<>&\u2028\u2029]/)
      expect(JSON.parse(data).headline).toBe(attack)
    }
  })

  it('records on which page a reader signed up', async () => {
    await publish(database.db, seed)
    const { document } = await page(seed.slug)
    const fields = [...document.querySelectorAll('form input')].map(
      (input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? ''] as [string, string],
    )
    const form = new URLSearchParams([
      ...fields.filter(([name]) => name !== 'address'),
      ['address', 'dora@example.test'],
    ])

    const answer = await appOn(database).request('/subscribe', {
      method: 'POST',
      body: form,
    })

    expect(answer.status).toBe(200)
    const signUp = await database.db.selectFrom('sign_up').select(['form_url', 'signals']).executeTakeFirst()
    expect(signUp?.form_url).toBe(`https://news.example.com/compare/${seed.slug}`)
    expect(signUp?.signals).not.toContain('no stamp')
  })

  it('lets the script of the sign-up challenge run, and no other', async () => {
    await publish(database.db, seed)

    const policies = await Promise.all(
      ['none', 'altcha'].map(async (CHALLENGE) => {
        const app = appOn(database, { environment: { CHALLENGE } })
        return (await app.request(`/compare/${seed.slug}`)).headers.get('Content-Security-Policy')
      }),
    )

    expect(policies[0]).not.toContain('script-src')
    expect(policies[1]).toContain("script-src 'self'")
  })
})

describe('what changed', () => {
  const [before, after] = [
    documentFor('quillmark-vs-inkling', {}, [4, 4]),
    documentFor('quillmark-vs-inkling', {}, [4, 1]),
  ]

  it('says on which day the panel changed its mind, who is ahead now, and which price moved', async () => {
    await publish(database.db, before)
    const [left, right] = after.tools
    if (!left || !right) throw new Error('A comparison has two tools')
    await revise(
      { ...after, tools: [{ ...left, priceNote: 'from $9 a month' }, right] },
      '2026-11-19T03:00:00Z',
    )

    const { document } = await page(before.slug)

    expect(document.querySelector('.changed')?.textContent).toContain(
      'The panel changed its mind on quillmark-vs-inkling right on 18 November 2026: it shipped it before, 4 of 4; now 1 of 4 ships it.',
    )
    expect(changesOn(document)).toEqual([
      'The panel changed its mind on quillmark-vs-inkling right on 18 November 2026: it shipped it before, 4 of 4; now 1 of 4 ships it.',
      'Which one is ahead changed on 18 November 2026: it was a tie; now it is quillmark-vs-inkling left.',
      'The entry price of quillmark-vs-inkling left changed on 18 November 2026: it was Free; now it is Free (from $9 a month).',
    ])
  })

  it('does not count a mended word, nor a count of votes', async () => {
    await publish(database.db, before)
    const [left, right] = before.tools
    if (!left || !right) throw new Error('A comparison has two tools')
    await revise({ ...before, tools: [{ ...left, tagline: 'Mended' }, right] }, '2026-11-19T10:00:00Z')
    const counted = { ...left, tagline: 'Mended', community: { ship: 9, skip: 1 } }
    await revise({ ...before, tools: [counted, right] }, '2026-11-19T11:00:00Z')

    const { document } = await page(before.slug)

    expect(document.querySelector('.tagline')?.textContent).toBe('Mended')
    expect(document.querySelector('.changed')).toBeNull()
    expect(changesOn(document)).toEqual([])
  })

  it('does not count what nobody was shown: before it was public, or while it was retracted', async () => {
    const early = { ...before, publishedAt: '2026-11-19T14:00:00Z' }
    await revise(
      { ...early, ...documentFor(early.slug, {}, [0, 4]), publishedAt: early.publishedAt },
      '2026-11-17T10:00:00Z',
    )
    await revise(early, '2026-11-18T10:00:00Z')
    await revise({ ...after, publishedAt: early.publishedAt, retracted: true }, '2026-11-19T15:00:00Z')
    await revise(early, '2026-11-19T16:00:00Z')

    const { document } = await page(before.slug)

    expect(changesOn(document)).toEqual([])
  })
})

describe('a comparison that is not there', () => {
  it.each([
    ['was never written', undefined, 404],
    ['comes out later', { publishedAt: '2026-11-20T14:00:01Z' }, 404],
    ['was retracted before it came out', { publishedAt: '2026-11-20T14:00:01Z', retracted: true }, 404],
    ['was never anything but retracted', { retracted: true }, 404],
  ] as const)('is no page and has no card when it %s', async (_, changes, status) => {
    if (changes)
      await publishComparison(
        { db: database.db, clock: clockAt('2026-11-18T15:00:00Z') },
        documentFor('quillmark-vs-inkling', changes),
      )

    const [shown, card] = [await page('quillmark-vs-inkling'), await cardOf('quillmark-vs-inkling')]

    expect([shown.status, card.status]).toEqual([status, status])
    expect(shown.html).not.toContain('quillmark')
  })

  it('says that it was retracted when people had seen it, and nothing that it said', async () => {
    await publish(database.db, documentFor('quillmark-vs-inkling'))
    await revise(documentFor('quillmark-vs-inkling', { retracted: true }), '2026-11-19T10:00:00Z')

    const [shown, card] = [await page('quillmark-vs-inkling'), await cardOf('quillmark-vs-inkling')]

    expect([shown.status, card.status]).toEqual([410, 404])
    expect(shown.document.querySelector('h1')?.textContent).toBe('This comparison was retracted')
    expect(shown.headers.get('X-Robots-Tag')).toBe('noindex')
    expect(shown.html).not.toMatch(/quillmark|inkling|Builder|Panel/)
  })

  it('is there from the second on at which it comes out', async () => {
    await publish(database.db, documentFor('quillmark-vs-inkling', { publishedAt: '2026-11-20T14:00:02Z' }))
    const clock = clockAt(friday)
    const app = appOn(database, { clock })

    const before = await app.request('/compare/quillmark-vs-inkling')
    clock.pass('PT2S')
    const after = await app.request('/compare/quillmark-vs-inkling')

    expect([before.status, after.status]).toEqual([404, 200])
  })

  it.each([
    ['a path', '..%2f..'],
    ['nothing that is printed', '%00'],
    ['capitals', 'A-B'],
    ['far too much', 'x'.repeat(5_000)],
    ['markup', '%3Cscript%3E'],
    ['half of an escape', '%E0%A4%A'],
  ])('is no page when its name is %s', async (_, slug) => {
    expect((await appOn(database).request(`/compare/${slug}`)).status).toBe(404)
  })
})

const attacks = [
  'plain words',
  '<script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '</title></style><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onfocus=alert(1) autofocus x='",
  '{{constructor}} {{{__proto__}}} {{> page}}',
  '<!-- <script> --> ]]>',
  '&lt;script&gt; &amp; &#x3c;',
  'javascript:alert(1)',
  '$& $` $1 \\u003c/script>',
]

function hostile(slug: string, attack: string): ComparisonDocument {
  const document = documentFor(slug, { title: attack })
  return {
    ...document,
    tools: document.tools.map((tool) => ({
      ...tool,
      ...{ name: attack, category: attack, tagline: attack, description: attack, priceNote: attack },
      reviews: tool.reviews.map((review) => ({ ...review, quote: attack })),
    })),
  }
}

type Page = ReturnType<typeof parseHTML>['document']

/** Every element with the names of its attributes: what markup in data would change. */
function shapeOf(document: Page): readonly string[] {
  return [...document.querySelectorAll('*')].map(
    (element) => `${element.tagName} ${[...element.attributes].map(({ name }) => name).join(' ')}`,
  )
}

/** Everything that the seed's page says, in its order (db/samples has its words). */
function factsOf({ title, tools }: ComparisonDocument): readonly string[] {
  const labels = { free: 'Free', freemium: 'Freemium', paid: 'Paid', trial: 'Trial', unknown: 'Not stated' }
  const lenses = ['builder', 'skeptic', 'futurist', 'founder']
  return [
    'AI tool comparison',
    title,
    'Which one should you ship with? Here is the side-by-side panel verdict, pricing read, reviewer split, and community vote comparison.',
    ...tools.flatMap((tool) => [
      ...[tool.category, tool.name, tool.tagline],
      ...['100% Panel ship', '— Community', `${labels[tool.entryPrice]} Entry`],
      ...sentencesOf(tool.description),
    ]),
    'Reviewer scorecard',
    ...lenses.flatMap((lens) =>
      tools.flatMap(({ reviews }) =>
        sentencesOf(reviews.find(({ reviewer }) => reviewer === lens)?.quote ?? '?'),
      ),
    ),
    'Weekly AI Tool Verdicts',
    'Get the next comparison in your inbox',
    'New AI tools ship daily. We compare them before you waste an afternoon.',
  ]
}

function sentencesOf(text: string): readonly string[] {
  return [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)].map(({ segment }) =>
    segment.trim(),
  )
}

function words(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

async function page(slug: string, app = appOn(database)) {
  const answer = await app.request(`/compare/${slug}`)
  const html = await answer.text()
  return {
    html,
    status: answer.status,
    headers: answer.headers,
    document: parseHTML(html).document,
  }
}

function cardOf(slug: string): Promise<Response> {
  return Promise.resolve(appOn(database).request(`/compare/${slug}/card.png`))
}

function changesOn(document: Page): readonly string[] {
  return [...document.querySelectorAll('#changes + ul li')].map(({ textContent }) => words(textContent ?? ''))
}

async function revise(document: ComparisonDocument, at: string): Promise<void> {
  await publishComparison({ db: database.db, clock: clockAt(at) }, document)
}
