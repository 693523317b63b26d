import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { personalise } from '../../src/delivery/personalise.ts'
import { cutEdition, freezeEdition } from '../../src/issue/edition.ts'
import { loadIssueTemplates, renderIssue } from '../../src/issue/render.ts'
import { readToken } from '../../src/subscriber/token.ts'
import { testKeys } from '../setup/newsletter.ts'
import { sampleIssue, setting } from '../setup/sample-issue.ts'

const ann = { publicId: '3f1c2d4e-0000-4000-8000-00000000000a', address: 'ann@example.test' }
const bob = { publicId: '3f1c2d4e-0000-4000-8000-00000000000b', address: 'bob@example.test' }
const tags = { week: '2026-W47', batchId: '9b2e7a10-0000-4000-8000-000000000001' }
const [key = { id: '', secret: Buffer.alloc(0) }] = testKeys
const wire = {
  from: 'Weekly <verdicts@example.com>',
  replyTo: 'Editors <desk@example.com>',
  publicUrl: setting.publicUrl,
}
const cut = cutEdition(freezeEdition(renderIssue(loadIssueTemplates(), sampleIssue(), setting)))
const mailFor = (reader: typeof ann, changes: Partial<typeof wire> = {}) =>
  personalise({ wire: { ...wire, ...changes }, listId: 'weekly.example.com', key }, cut, reader, tags)

describe("a reader's mail", () => {
  it("has that reader's own way out, in the headers and in both parts", () => {
    const { html, text, headers } = mailFor(ann)

    const [, url = ''] = /^<(.+)>$/.exec(headers['List-Unsubscribe'] ?? '') ?? []
    expect(url).toMatch(/^https:\/\/verdicts\.example\.test\/unsubscribe\/[\w.-]+$/)
    expect(readToken(testKeys, 'unsubscribe', url.split('/').at(-1) ?? '')).toBe(ann.publicId)
    expect(linksOf(html)).toContain(url)
    expect(text).toContain(url)
  })

  it('leads to the preferences of that reader and to the issue, which has no token', () => {
    const { html, text } = mailFor(ann)

    const preferences = linksOf(html).find((link) => /\/preferences\/[^/]+$/.test(link)) ?? ''
    expect(readToken(testKeys, 'preferences', preferences.split('/').at(-1) ?? '')).toBe(ann.publicId)
    expect(text).toContain(preferences)
    expect(linksOf(html).filter((link) => link.startsWith(`${preferences}/follow/`)).length).toBeGreaterThan(
      0,
    )
    expect(linksOf(html)).toContain(`${setting.publicUrl}/issues/2026-W47`)
    expect(text).toContain(`${setting.publicUrl}/issues/2026-W47\n`)
  })

  it('has every link under the public address, and none open', () => {
    const { html, text } = mailFor(ann)

    const ours = linksOf(html).filter((link) => /unsubscribe|preferences|issues/.test(link))
    expect(ours.every((link) => link.startsWith(`${setting.publicUrl}/`))).toBe(true)
    expect(html + text).not.toMatch(/[\u0001\u0002]/)
  })

  it('has the headers that one-click needs', () => {
    expect(mailFor(ann).headers).toEqual({
      'List-Unsubscribe': expect.stringMatching(/^<https:.+>$/),
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'List-Id': 'Weekly Verdict <weekly.example.com>',
    })
  })

  it('has tags that the provider takes, and by which its events find the delivery', () => {
    const mail = mailFor(ann)

    expect(mail.tags).toEqual({ issue: '2026-W47', batch: tags.batchId, delivery: ann.publicId })
    expect(Object.entries(mail.tags).flat()).toSatisfy((parts: string[]) =>
      parts.every((part) => /^[A-Za-z0-9_-]{1,256}$/.test(part)),
    )
  })

  it('is addressed to that reader alone, whose address is nowhere in it', () => {
    const { to, from, replyTo, html, text, headers } = mailFor(ann)

    expect([to, from, replyTo]).toEqual([ann.address, wire.from, wire.replyTo])
    expect(html + text + JSON.stringify(headers)).not.toContain(ann.address)
  })

  it('is the same to the byte when it is made again', () => {
    expect(JSON.stringify(mailFor(ann))).toBe(JSON.stringify(mailFor(ann)))
  })

  it("differs from another reader's in nothing but the links", () => {
    const [anns, bobs] = [mailFor(ann), mailFor(bob)]

    const withoutTokens = (part: string) =>
      part.replace(/(unsubscribe|preferences|vote)\/[\w-]+\.[\w-]+\.[\w-]+/g, '$1/TOKEN')
    expect(anns.html).not.toBe(bobs.html)
    expect(withoutTokens(anns.html)).toBe(withoutTokens(bobs.html))
    expect(withoutTokens(anns.text)).toBe(withoutTokens(bobs.text))
    expect(anns.subject).toBe(bobs.subject)
    expect(anns.id).not.toBe(bobs.id)
  })

  it('has no Reply-To where none is set', () => {
    const { replyTo: _, ...withoutReply } = wire

    const mail = personalise(
      { wire: { ...withoutReply, replyTo: undefined }, listId: 'weekly.example.com', key },
      cut,
      ann,
      tags,
    )

    expect(mail).not.toHaveProperty('replyTo')
  })
})

function linksOf(html: string): readonly string[] {
  return [...parseHTML(html).document.querySelectorAll('a')].map((link) => link.getAttribute('href') ?? '')
}
