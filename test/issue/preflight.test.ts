import { describe, expect, it } from 'vitest'
import { holeFor } from '../../src/issue/edition.ts'
import { preflight } from '../../src/issue/preflight.ts'

const link = 'https://news.example.com/unsubscribe/token-of-ann'
const sound = {
  subject: 'Ship either: Claude 4 Sonnet or SmolVLM2 · 2026-W47',
  preheader: 'SmolVLM2 is free to start. The panel’s verdicts and the prices',
  html: `<a href="${link}">Unsubscribe</a>`,
  text: `Unsubscribe: ${link}`,
  headers: { 'List-Unsubscribe': `<${link}>` },
  links: [],
}

describe('the checks before a mail leaves', () => {
  it('pass a sound mail, each with what it looked at', () => {
    expect(preflight(sound)).toEqual([
      { level: 'pass', what: `html is ${sound.html.length} bytes; Gmail cuts at about 102400` },
      { level: 'pass', what: 'subject has 51 characters; 40 to 70 show whole' },
      { level: 'pass', what: 'preheader has 62 characters; 40 to 90 show whole' },
      { level: 'pass', what: 'the unsubscribe link is in both parts and in the headers' },
      { level: 'pass', what: '0 counted links lead to nothing' },
      { level: 'pass', what: 'every hole is filled' },
    ])
  })

  it.each([
    [90_000, 'pass'],
    [90_001, 'warn'],
    [102_400, 'warn'],
    [102_401, 'block'],
  ])('of an html part of %i bytes come to %s', (bytes, level) => {
    expect(preflight({ ...sound, html: htmlOf(bytes) })[0]).toEqual({
      ...{ level, what: `html is ${bytes} bytes; Gmail cuts at about 102400` },
    })
  })

  it('count bytes, not characters', () => {
    const html = sound.html + '字'.repeat(40_000)

    expect(html.length).toBeLessThan(90_000)
    expect(preflight({ ...sound, html })[0]?.level).toBe('block')
  })

  it.each([
    ['subject', 39, 'warn'],
    ['subject', 40, 'pass'],
    ['subject', 70, 'pass'],
    ['subject', 71, 'warn'],
    ['preheader', 39, 'warn'],
    ['preheader', 40, 'pass'],
    ['preheader', 90, 'pass'],
    ['preheader', 91, 'warn'],
  ])('of a %s of %i characters come to %s', (part, length, level) => {
    const findings = preflight({ ...sound, [part]: 'x'.repeat(length) })

    expect(findings.filter(({ what }) => what.startsWith(part)).map((finding) => finding.level)).toEqual([
      level,
    ])
    expect(levels(findings).filter((found) => found !== 'pass')).toEqual(level === 'pass' ? [] : [level])
  })

  it.each([
    ['from the html part', { html: '<p>No way out</p>' }],
    ['from the text part', { text: 'No way out' }],
    ['from the headers', { headers: {} }],
    ['from the parts, where another reader’s is', { headers: { 'List-Unsubscribe': `<${link}-and-bob>` } }],
    ['as an address in angle brackets', { headers: { 'List-Unsubscribe': link } }],
  ])('block a mail whose unsubscribe link is missing %s', (_, changes) => {
    expect(preflight({ ...sound, ...changes })).toContainEqual({
      ...{ level: 'block', what: 'the unsubscribe link is missing from a part or from the headers' },
    })
  })

  it.each(['html', 'text', 'subject'] as const)('block a mail with a hole left in its %s', (part) => {
    const findings = preflight({ ...sound, [part]: sound[part] + holeFor('webVersion') })

    expect(findings).toContainEqual({ level: 'block', what: 'a hole was not filled' })
  })
})

function htmlOf(bytes: number): string {
  return sound.html + 'x'.repeat(bytes - sound.html.length)
}

function levels(findings: ReturnType<typeof preflight>): readonly string[] {
  return findings.map(({ level }) => level)
}
