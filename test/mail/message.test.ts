import PostalMime from 'postal-mime'
import { describe, expect, it } from 'vitest'
import { writeMessage } from '../../src/mail/message.ts'
import { sampleMail } from '../setup/sample-mail.ts'

const friday = Temporal.Instant.from('2026-11-20T14:00:00Z')

describe('a mail written as a message', () => {
  it('reads back as it was', async () => {
    const mail = sampleMail({ text: 'Grüße, 你好 — “ship”.\n', html: '<p>Grüße, 你好 — “ship” = 100 %</p>' })

    const email = await PostalMime.parse(await writeMessage(mail, friday))

    expect(email).toMatchObject({
      subject: mail.subject,
      from: { name: 'Weekly AI Tool Verdicts', address: 'verdicts@news.example.test' },
      to: [{ name: '', address: 'ann@example.test' }],
      replyTo: [{ name: 'Editors', address: 'desk@news.example.test' }],
      messageId: '<w47-ann@news.example.test>',
      date: '2026-11-20T14:00:00.000Z',
      text: `${mail.text}\n`,
      html: `${mail.html}\n`,
    })
  })

  it('is the same bytes every time, for the same instant', async () => {
    expect(await writeMessage(sampleMail(), friday)).toEqual(await writeMessage(sampleMail(), friday))
  })

  it('offers the text first and the HTML as the richer alternative', async () => {
    const source = String(await writeMessage(sampleMail(), friday))

    expect(source).toMatch(/^Content-Type: multipart\/alternative;/m)
    expect(source.indexOf('text/plain')).toBeLessThan(source.indexOf('text/html'))
  })

  it('has each header exactly once', async () => {
    const shadowing = sampleMail({
      headers: { ...sampleMail().headers, Subject: 'another', From: 'x@example.test' },
    })

    const names = await headerNames(await writeMessage(shadowing, friday))

    expect(names.toSorted()).toEqual([
      'content-type',
      'date',
      'from',
      'list-id',
      'list-unsubscribe',
      'list-unsubscribe-post',
      'message-id',
      'mime-version',
      'reply-to',
      'subject',
      'to',
    ])
  })

  it.each([
    ['the subject', { subject: 'Week 47\r\nBcc: everyone@example.test' }],
    [
      'the name of the sender',
      { from: 'Verdicts\r\nBcc: everyone@example.test\r\n <verdicts@example.test>' },
    ],
    ['a header', { headers: { 'List-Id': 'Weekly\r\nBcc: everyone@example.test' } }],
    ['the address', { to: 'ann@example.test\r\nBcc: everyone@example.test' }],
  ])('cannot be given another header through %s', async (_, change) => {
    const names = await headerNames(await writeMessage(sampleMail(change), friday))

    expect(names).not.toContain('bcc')
    expect(names.filter((name) => name === 'to')).toHaveLength(1)
  })

  it('cannot be given another recipient through the address', async () => {
    const email = await PostalMime.parse(
      await writeMessage(sampleMail({ to: 'a@example.test, b@example.test' }), friday),
    )

    expect(email.to).toHaveLength(1)
  })

  it('keeps a comma in the name of the sender', async () => {
    const email = await PostalMime.parse(
      await writeMessage(sampleMail({ from: 'Verdicts, weekly <v@example.test>' }), friday),
    )

    expect(email.from).toEqual({ name: 'Verdicts, weekly', address: 'v@example.test' })
  })

  it('has no line over 998 octets, however long the line of HTML or the subject', async () => {
    const mail = sampleMail({
      html: `<p>${'x'.repeat(50_000)}</p>`,
      text: 'y'.repeat(5_000),
      subject: 'z é '.repeat(500),
    })

    const source = String(await writeMessage(mail, friday))

    expect(Math.max(...source.split('\r\n').map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(998)
    expect(source.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  })

  it('keeps the unsubscribe link in one piece, on one line', async () => {
    const link = `<https://example.test/unsubscribe/${'t'.repeat(600)}>`

    const source = String(await writeMessage(sampleMail({ headers: { 'List-Unsubscribe': link } }), friday))

    expect(source).toContain(`List-Unsubscribe: ${link}\r\n`)
  })
})

async function headerNames(source: Buffer): Promise<string[]> {
  return (await PostalMime.parse(source)).headers.map(({ key }) => key)
}
