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

const rules = {
  ...{
    publicUrl: setting.publicUrl,
    postalAddress: setting.postalAddress,
    inventedAddress: '1 Invented Street',
    dead: new Map<string, string>(),
  },
  ...{ published: { texts: [], names: [] }, isOurToken: () => true },
}
const headers = {
  'List-Unsubscribe': `<${annsLinks.unsubscribe}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
}
const mail = { ...filled, headers, kind: 'everybody' }

describe('the postal address', () => {
  const postalAddress = (changes: object, more: object = {}) =>
    mailFindings({ ...mail, ...changes }, { ...rules, ...more }).find(({ id }) => id === 'postal-address')

  it('is there in a mail as we make it', () => {
    expect(postalAddress({})).toMatchObject({ level: 'pass' })
  })

  it('that another was set since is said, with both, and stops nothing', () => {
    expect(postalAddress({}, { postalAddress: '2 Other Street' })).toMatchObject({
      level: 'warn',
      evidence: [`in the mail: ${setting.postalAddress}`, 'set now: 2 Other Street'],
    })
  })

  it.each([
    ['neither part', '', ''],
    ['the html only', setting.postalAddress, ''],
    ['the text only', '', setting.postalAddress],
  ])('blocks where %s has it, and where another is set now, too', (_, html, text) => {
    const left = {
      html: filled.html.replace(setting.postalAddress, html),
      text: text === '' ? filled.text.split('\n').slice(0, -3).join('\n') : filled.text,
    }

    expect(postalAddress(left)).toMatchObject({ level: 'block' })
    expect(postalAddress(left, { postalAddress: '2 Other Street' })).toMatchObject({ level: 'block' })
  })

  it('blocks where it was set with the one of a set-up for development', () => {
    expect(
      postalAddress({}, { postalAddress: '2 Other Street', inventedAddress: setting.postalAddress }),
    ).toMatchObject({ level: 'block' })
  })
})

describe('the way out', () => {
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
