import { describe, expect, it } from 'vitest'
import { cutEdition, fillEdition, freezeEdition } from '../../src/issue/edition.ts'
import { clientsFinding } from '../../src/issue/preflight/clients.ts'
import { editionFindings } from '../../src/issue/preflight/edition.ts'
import { mailFindings, sizeFinding, whyMalformed } from '../../src/issue/preflight/mail.ts'
import { preheaderFinding, subjectFinding } from '../../src/issue/preflight/words.ts'
import { loadIssueTemplates, renderIssue } from '../../src/issue/render.ts'
import { annsLinks, sampleComparisons, sampleIssue, setting } from '../setup/sample-issue.ts'

const rendered = freezeEdition(renderIssue(loadIssueTemplates(), sampleIssue(sampleComparisons()), setting))
const filled = { ...rendered, ...fillEdition(cutEdition(rendered), annsLinks) }

describe('the heaviest mail', () => {
  it.each([
    [90_000, 'pass'],
    [90_001, 'warn'],
    [102_400, 'warn'],
    [102_401, 'block'],
  ])('of %i bytes comes to %s, however light the others are', (bytes, level) => {
    expect(
      sizeFinding([
        { kind: 'everybody', bytes: 1_000 },
        { kind: 'the monthly', bytes },
      ]),
    ).toMatchObject({ level })
  })
})

describe('the lengths', () => {
  it.each([
    [39, 'warn'],
    [40, 'pass'],
    [70, 'pass'],
    [71, 'warn'],
  ])('of a subject of %i characters come to %s', (length, level) => {
    expect(subjectFinding('x'.repeat(length), undefined)).toMatchObject({ level })
  })

  it.each([
    [39, 'warn'],
    [40, 'pass'],
    [90, 'pass'],
    [91, 'warn'],
  ])('of a preheader of %i characters come to %s', (length, level) => {
    expect(preheaderFinding('x'.repeat(length), 'Something else')).toMatchObject({ level })
  })
})

it('a subject that was last week’s is known by its words, whatever the week behind them', () => {
  const last = { week: '2026-W46', subject: 'Ship either: Claude 4 Sonnet or SmolVLM2 · 2026-W46' }

  expect(subjectFinding('Ship either: Claude 4 Sonnet or SmolVLM2 · 2026-W47', last)).toMatchObject({
    ...{ level: 'warn', what: expect.stringContaining('2026-W46') },
  })
})

it.each([
  'javascript:alert(1)',
  'data:text/html,x',
  '//evil.example',
  'https:evil',
  'https://a b',
  '',
  'https://me@x.org',
])('%j is no link for a mail', (url) => {
  expect(whyMalformed(url)).toEqual(expect.any(String))
})

describe('the way out', () => {
  const rules = {
    ...{
      publicUrl: setting.publicUrl,
      postalAddress: setting.postalAddress,
      dead: new Map<string, string>(),
    },
    ...{ published: { texts: [], names: [] }, isOurToken: () => true },
  }
  const headers = {
    'List-Unsubscribe': `<${annsLinks.unsubscribe}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  }
  const mail = { ...filled, headers, kind: 'everybody' }
  const wayOut = (changes: object, more: object = {}) =>
    mailFindings({ ...mail, ...changes }, { ...rules, ...more }).find(({ id }) => id === 'unsubscribe')

  it('is there in a mail as we make it', () => {
    expect(wayOut({})).toMatchObject({ level: 'pass' })
  })

  it.each([
    ['the html', { html: '<p>No way out</p>' }],
    ['the text', { text: 'No way out' }],
    ['the header', { headers: {} }],
    ['the one-click header', { headers: { 'List-Unsubscribe': headers['List-Unsubscribe'] } }],
    ['the angle brackets', { headers: { ...headers, 'List-Unsubscribe': annsLinks.unsubscribe } }],
  ])('blocks where it is missing: %s', (_, changes) => {
    expect(wayOut(changes)).toMatchObject({ level: 'block' })
  })

  it('blocks where its token is not one of ours', () => {
    expect(wayOut({}, { isOurToken: () => false })).toMatchObject({ level: 'block' })
  })
})

it('an edition as our templates set it passes every rule about its bytes', async () => {
  const findings = await editionFindings(filled)

  expect(findings.filter(({ level }) => level !== 'pass')).toEqual([])
})

it('what mail programs lack is news until somebody has reviewed it', async () => {
  expect(await clientsFinding(filled.html, {})).toMatchObject({ level: 'warn' })
  expect(await clientsFinding(filled.html)).toMatchObject({ level: 'pass' })
})
