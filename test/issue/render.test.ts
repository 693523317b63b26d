import { readdirSync, readFileSync } from 'node:fs'
import { type ConfigData, HtmlValidate } from 'html-validate'
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { cutEdition, fillEdition, freezeEdition, holeFor, type Rendered } from '../../src/issue/edition.ts'
import { goUrl, linksOf } from '../../src/issue/links.ts'
import { loadIssueTemplates, renderIssue } from '../../src/issue/render.ts'
import { structureOf } from '../../src/mail/structure.ts'
import type { Comparison, Tool } from '../../src/verdict/comparison.ts'
import { annsLinks, sampleComparisons, sampleIssue, setting } from '../setup/sample-issue.ts'

const templates = loadIssueTemplates()
const render = (comparisons?: readonly Comparison[]): Rendered =>
  renderIssue(templates, sampleIssue(comparisons), setting)
const forAnn = (rendered: Rendered) => fillEdition(cutEdition(freezeEdition(rendered)), annsLinks)

describe('the mail', () => {
  const mail = forAnn(render())
  const { document } = parseHTML(mail.html)
  const all = (selector: string) => [...document.querySelectorAll(selector)]

  it('says its language, its title, and its headline once', () => {
    expect(document.documentElement.getAttribute('lang')).toBe('en')
    expect(document.querySelector('title')?.textContent).toBe(sampleIssue().subject)
    expect(all('h1').map((h1) => h1.textContent)).toEqual([sampleIssue().headline])
  })

  it('has a heading for each comparison, and under it one for each tool', () => {
    const headings = all('h1, h2, h3').map((heading) => [heading.localName, heading.textContent])

    expect(headings.slice(1)).toEqual(
      sampleIssue().comparisons.flatMap(({ title, tools }) => [
        ['h2', title],
        ...tools.map(({ name }) => ['h3', name]),
      ]),
    )
  })

  it('shows every comparison at a glance: the pair, who won, the price line', () => {
    const rows = all('table.glance tr').slice(1)

    expect(document.querySelector('table.glance caption')?.textContent).toBe('6 comparisons this week')
    expect(rows).toHaveLength(6)
    for (const [index, { title, priceLine, winner }] of sampleIssue().comparisons.entries())
      for (const words of [title, priceLine, winner]) expect(rows[index]?.textContent).toContain(words)
  })

  it('stamps each tool with a word', () => {
    const stamps = all('td > b')
      .map((stamp) => stamp.textContent?.trim())
      .filter((word) => /^(SHIP|SKIP|SPLIT)$/.test(word ?? ''))

    expect(stamps).toEqual(
      [
        ...sampleIssue().comparisons.map(({ winner, tools: [a, b] }) => (winner === b.name ? b : a).stamp),
        ...sampleIssue().comparisons.flatMap(({ tools }) => tools.map(({ stamp }) => stamp)),
      ].map((stamp) => stamp.toUpperCase()),
    )
  })

  it('draws the panel as a bar as long as its figure', () => {
    const bars = all('table.bar')

    for (const [index, { panel }] of sampleIssue()
      .comparisons.flatMap(({ tools }) => tools)
      .entries()) {
      expect(bars[index]?.querySelector('.ship')?.getAttribute('width')).toBe(
        panel.percent === 0 ? undefined : `${panel.percent}%`,
      )
      expect(bars[index]?.parentElement?.textContent).toContain(`${panel.percent} %`)
    }
  })

  it('tells layout tables from tables of facts', () => {
    for (const table of all('table')) {
      const isOfFacts = table.getAttribute('class') === 'glance' || table.getAttribute('class') === 'pair'
      expect(table.getAttribute('role')).toBe(isOfFacts ? null : 'presentation')
      expect(table.querySelector(':scope > tbody > tr > th, :scope > tr > th') !== null).toBe(isOfFacts)
    }
    for (const header of all('th')) expect(header.getAttribute('scope')).toBe('col')
  })

  it('loads nothing and leads nowhere but to us', () => {
    const links = all('a').map((link) => link.getAttribute('href') ?? '')

    expect(new Set(links)).toEqual(
      new Set([
        ...linksOf(sampleIssue(), setting).map((link) => goUrl(setting.publicUrl, link)),
        ...[annsLinks.unsubscribe, annsLinks.preferences, annsLinks.webVersion],
        ...sampleIssue().comparisons.flatMap(({ slug, tools }) => [
          `${annsLinks.preferences}/follow/${slug}`,
          ...tools.flatMap((tool) =>
            ['ship', 'skip'].map((say) => `${annsLinks.vote}.2026-W47.${tool.slug}.${say}`),
          ),
        ]),
      ]),
    )
    expect(all('img, link, script, iframe, video, svg, [src], [background]')).toEqual([])
    expect(mail.html).not.toMatch(/url\(|@import|@font-face/)
    const hosts = mail.html.match(/https?:\/\/[^/"'\s<)]+/g) ?? []
    expect(new Set(hosts)).toEqual(new Set([setting.publicUrl, 'http://www.w3.org']))
  })

  it('has one link that nobody can see, hear or reach, and none of it in the text', () => {
    const traps = all('a[aria-hidden]')
    const trap = linksOf(sampleIssue(), setting).find(({ kind }) => kind === 'trap')

    expect(traps.map((link) => link.outerHTML)).toEqual([
      `<a href="${trap && goUrl(setting.publicUrl, trap)}" rel="nofollow" aria-hidden="true" tabindex="-1" style="display:none"></a>`,
    ])
    expect(mail.text).not.toContain(trap?.id)
  })

  it('is small: six comparisons take less than 40,000 bytes', () => {
    expect(Buffer.byteLength(mail.html)).toBeLessThan(40_000)
  })

  it('passes html-validate', async () => {
    const report = await new HtmlValidate(mailRules).validateString(mail.html)

    expect(report.results.flatMap(({ messages }) => messages)).toEqual([])
  })

  it('holds every link and every verdict in its plain-text twin', () => {
    for (const link of new Set(all('a:not([aria-hidden])').map((link) => link.getAttribute('href') ?? '')))
      expect(mail.text.split('\n')).toContain(link)
    const flat = mail.text.replace(/\s+/g, ' ')
    for (const comparison of sampleIssue().comparisons) {
      expect(flat).toContain(comparison.sentence)
      for (const tool of comparison.tools) {
        expect(flat).toContain(`[${tool.stamp.toUpperCase()}] ${tool.name}`)
        for (const words of [tool.tagline, tool.description.text, tool.panelLabel, tool.communityLabel])
          expect(flat).toContain(words)
        expect(flat).toContain(`“${tool.quote.text}”`)
      }
    }
    expect(flat).toContain(setting.postalAddress)
  })
})

describe('the plain-text twin', () => {
  it('reads like this', async () => {
    const chosen = sampleComparisons().filter(({ slug }) =>
      [
        'claude-4-sonnet-vs-smolvlm2',
        'uq-vs-patient-telephone-receptionist',
        'siltbed-vs-marrowgate',
      ].includes(slug),
    )

    await expect(forAnn(render(chosen)).text).toMatchFileSnapshot('golden/issue.txt')
  })

  it('keeps to 78 columns, but for addresses', () => {
    const lines = forAnn(render(sampleComparisons())).text.split('\n')

    expect(lines.filter((line) => line.length > 78 && !/^https:\/\/\S+$/.test(line))).toEqual([])
  })

  it('breaks Chinese between characters, each two columns wide, and never before a full stop', () => {
    const sentence = '这个工具很便宜，而且从不出错。'

    const { text } = forAnn(render([saying(sentence.repeat(6))]))

    const lines = text.split('\n').filter((line) => line.includes('工具') || line.includes('出错'))
    expect(lines.length).toBeGreaterThan(2)
    for (const line of lines) {
      expect(line.replace(/[^\x00-\x7f]/g, 'xx').length).toBeLessThanOrEqual(80)
      expect(line.trim()).not.toMatch(/^[。，]/)
    }
  })
})

describe('ten comparisons with the longest texts', () => {
  const rendered = render(Array.from({ length: 10 }, (_, index) => fullest(index)))

  it('take no more than 90,000 bytes, the way out and the address included', () => {
    const { html } = forAnn(rendered)

    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(90_000)
    for (const needed of [annsLinks.unsubscribe, setting.postalAddress])
      expect(Buffer.byteLength(html.slice(0, html.indexOf(needed)))).toBeLessThan(90_000)
  })

  it('are cut between words, with a link to the rest', () => {
    const { document } = parseHTML(forAnn(rendered).html)
    const [description] = document.querySelectorAll('td[colspan]')

    expect(description?.textContent).toMatch(/ \w+… More$/)
    const [rest] = linksOf({ week: '2026-W47', comparisons: [fullest(0)] }, setting)
    expect(rest?.target).toMatch(/\/compare\/fullest-/)
    expect(description?.querySelector('a')?.getAttribute('href')).toBe(rest && goUrl(setting.publicUrl, rest))
  })
})

describe('hostile text', () => {
  const nasty = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '" onmouseover="alert(1)',
    "' style='position:fixed",
    '</td></tr></table><h1>Hello</h1>',
    '<!-- ]]> --> <![endif]-->',
    'javascript:alert(1)',
    'data:text/html;base64,PHNjcmlwdD4=',
    '{{constructor}} {{{__proto__}}} {{> mail-stamp}} {{unsubscribe}}',
    '<mj-include path="/etc/passwd" />',
    '&lt;b&gt; &amp;amp; &#x3c;',
    '[link](javascript:alert(1)) %%UNSUBSCRIBE%%',
    '\u0001unsubscribe\u0002',
    '\u202eright to left\u202c',
  ]
  const printed = (text: string) => text.replaceAll('\u0001', '').replaceAll('\u0002', '')
  const harmless = nasty.map((text) => printed(text).replace(/[^a-z ]/gi, 'x'))

  it.each(nasty)('is text in both parts: %j', (text) => {
    const { html, text: twin } = forAnn(render([saying(text)]))
    const { document } = parseHTML(html)

    for (const place of ['h2', 'h3', 'th', 'td[colspan]'])
      expect([...document.querySelectorAll(place)].map((at) => at.textContent).join()).toContain(
        printed(text),
      )
    expect(twin.replace(/\s+/g, ' ')).toContain(printed(text))
  })

  it.each(nasty.map((text, index) => [text, harmless[index] ?? '']))(
    'adds no element and no attribute: %j',
    (text, letters) => {
      expect(census(forAnn(render([saying(text)])).html)).toEqual(
        census(forAnn(render([saying(letters)])).html),
      )
    },
  )

  it('makes no address that a reader could follow', () => {
    const { document } = parseHTML(forAnn(render(nasty.map((text) => saying(text)))).html)

    for (const link of document.querySelectorAll('[href], [src]'))
      expect(link.getAttribute('href')).toMatch(/^https:\/\/verdicts\.example\.test\//)
  })

  it('cannot make a hole of its own', () => {
    const holes = (part: string) => part.split(holeFor('unsubscribe')).length - 1
    const { html, text } = render([saying(holeFor('unsubscribe'))])

    expect([holes(html), holes(text)]).toEqual([1, 1])
  })

  it('in a slug stays inside its link', () => {
    const [comparison] = sampleIssue().comparisons
    if (!comparison) throw new Error('the samples have comparisons')
    const issue = { ...sampleIssue(), comparisons: [{ ...comparison, slug: '../"><script>' }] }

    const [link] = linksOf(issue, setting)
    expect(link?.target).toBe(`${setting.publicUrl}/compare/..%2F%22%3E%3Cscript%3E`)
    expect(renderIssue(templates, issue, setting).html).toContain(
      `${goUrl(setting.publicUrl, link ?? { id: '' })}"`,
    )
  })
})

describe('rendering', () => {
  it('gives the same bytes twice', async () => {
    expect(renderIssue(loadIssueTemplates(), sampleIssue(), setting)).toEqual(render())
  })

  it('refuses an issue that lacks a field', () => {
    const { headline: _, ...without } = sampleIssue()

    // @ts-expect-error The type forbids it; a template must not print a gap either.
    expect(() => renderIssue(templates, without, setting)).toThrow(/headline/)
  })

  it('refuses a tool that lacks a field', () => {
    const issue = sampleIssue()
    for (const { tools } of issue.comparisons) Reflect.deleteProperty(tools[0], 'entry')

    expect(() => renderIssue(templates, issue, setting)).toThrow(/entry/)
  })

  it('never reads a file that a template includes', () => {
    const planted = '<mjml><mj-body><mj-include path="./package.json" type="html" /></mj-body></mjml>'

    const outcome = (() => {
      try {
        return structureOf(planted)
      } catch (error) {
        return String(error)
      }
    })()

    expect(outcome).not.toContain('weekly-verdict')
  })

  it('has no template that lets markup through', () => {
    const folder = new URL('../../templates/', import.meta.url)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.hbs'),
    )

    expect(files).toContain('email/issue.mjml.hbs')
    for (const file of files) expect(readFileSync(new URL(file, folder), 'utf8')).not.toMatch(/\{\{~?[{&]/)
  })
})

/** Where mail and the living standard part. */
const mailRules: ConfigData = {
  extends: ['html-validate:recommended'],
  rules: {
    // Some programs drop <style>, so what matters is inline; Outlook lays out by attributes and conditional comments.
    'no-inline-style': 'off',
    'no-deprecated-attr': 'off',
    'no-conditional-comment': 'off',
    // MJML writes `<!doctype html>` and a div with the role of an article, as mail programs cut off the body element.
    'doctype-style': 'off',
    'prefer-native-element': 'off',
    // "presentation" is what older screen readers know; every <tbody> would cost bytes and no parser needs it written.
    'presentation-role-style': 'off',
    'prefer-tbody': 'off',
  },
}

type Census = Readonly<Record<string, number>>

/** How often each element occurs, and each attribute of each. */
function census(html: string): Census {
  const names = [...parseHTML(html).document.querySelectorAll('*')].flatMap((element) => [
    element.localName,
    ...[...element.attributes].map(({ name }) => `${element.localName} ${name}`),
  ])
  return Object.fromEntries(
    Object.entries(Object.groupBy(names, (name) => name)).map(([name, all]) => [name, all?.length ?? 0]),
  )
}

/** A comparison that says one text wherever it can. */
function saying(text: string): Comparison {
  const tool = (slug: string): Tool => ({
    slug,
    name: `${slug} ${text}`,
    category: text,
    tagline: text,
    description: text,
    entryPrice: 'paid',
    priceNote: text,
    community: { ship: 9, skip: 1 },
    reviews: [
      { reviewer: 'builder', verdict: 'ship', quote: text },
      { reviewer: 'skeptic', verdict: 'skip', quote: text },
    ],
  })
  return {
    slug: 'one-vs-other',
    publishedAt: Temporal.Instant.from('2026-11-18T14:00:00Z'),
    title: `One vs Other: ${text}`,
    tools: [tool('one'), tool('other')],
  }
}

/** A comparison in which every text is as long as the intake allows, and readers and panel part. */
function fullest(index: number): Comparison {
  const long = (length: number) =>
    `${'This tool conscientiously reconsiders everything, carefully '.repeat(200)}`.slice(0, length).trim()
  const tool = (side: string, verdict: 'ship' | 'skip'): Tool => ({
    slug: `tool-${side}`,
    name: `${side} ${long(100)}`,
    category: long(120 - (side === 'A' ? 0 : 2)),
    tagline: long(400),
    description: long(6000),
    entryPrice: side === 'A' ? 'trial' : 'unknown',
    priceNote: long(120),
    community: { ship: side === 'A' ? 10 : 990, skip: side === 'A' ? 990 : 10 },
    reviews: ['builder', 'skeptic', 'futurist', 'founder'].map((reviewer) => ({
      reviewer,
      verdict,
      quote: long(8000),
    })),
  })
  return {
    slug: `fullest-${index}-${'x'.repeat(100)}`,
    publishedAt: Temporal.Instant.from('2026-11-18T14:00:00Z'),
    title: long(250),
    tools: [tool('A', 'ship'), tool('B', 'skip')],
  }
}
