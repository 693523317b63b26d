import PostalMime, { type Email } from 'postal-mime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { standingClock } from '../../src/clock.ts'
import type { Mail } from '../../src/mail/email.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { type Exim, startExim, whyNoExim } from '../setup/exim.ts'
import { sampleMails } from '../setup/sample-mail.ts'

const clock = standingClock(Temporal.Instant.from('2026-11-20T14:00:00Z'))
const missing = whyNoExim()
if (missing) console.warn(`Without a real mail server: ${missing}`)

describe.skipIf(missing && process.env.REQUIRE_REAL_SMTP !== '1')('sending through Exim', () => {
  let exim: Exim
  beforeAll(async () => {
    exim = await startExim()
  })
  afterAll(async () => {
    if (!missing) await exim.stop()
  })

  it('puts twenty mails into mailboxes, each as it was written', async () => {
    const mails = sampleMails(20).map((mail, n) => ({
      ...mail,
      text: `Nr ${n}: Grüße, 你好.\n.\nFrom here on, a dot and a From.\n`,
      html: `<p>Nr ${n}: ${'lang '.repeat(5_000)}“ship” — é</p>`,
    }))
    const smtp = smtpTransport({ url: exim.url, clock })

    const outcomes = await Promise.all(mails.map((mail) => smtp.send([mail], 'k')))
    await smtp.close()
    const sources = await exim.delivered(20)

    expect(outcomes).toEqual(
      mails.map(({ id }) => ({ kind: 'accepted', providerIds: [`<${id}@news.example.test>`] })),
    )
    expect(byReader(await Promise.all(sources.map(asRead)))).toEqual(byReader(mails.map(asWritten)))
  })

  it('is told of a reader the server does not take', async () => {
    const smtp = smtpTransport({ url: exim.url, clock })

    const [elsewhere] = sampleMails(1).map((mail) => ({ ...mail, to: 'somebody@elsewhere.example' }))
    const outcome = await smtp.send(elsewhere ? [elsewhere] : [], 'k')
    await smtp.close()

    expect(outcome).toMatchObject({ kind: 'rejected', reason: expect.not.stringContaining('somebody') })
  })
})

type Read = Pick<Mail, 'to' | 'subject' | 'html' | 'text' | 'headers'> & { envelope: string; count: number }

async function asRead(source: Buffer): Promise<Read> {
  const email = await PostalMime.parse(source)
  const values = (name: string) =>
    email.headers.filter(({ originalKey }) => originalKey === name).map(({ value }) => value)
  const lists = ['List-Unsubscribe', 'List-Unsubscribe-Post', 'List-Id']
  return {
    to: address(email),
    envelope: values('Envelope-to').join(),
    subject: email.subject ?? '',
    html: (email.html ?? '').trim(),
    text: (email.text ?? '').trim(),
    headers: Object.fromEntries(lists.map((name) => [name, values(name).join()])),
    count: values('Message-ID').length,
  }
}

function asWritten({ to, subject, html, text, headers }: Mail): Read {
  return { to, envelope: to, subject, html: html.trim(), text: text.trim(), headers, count: 1 }
}

function byReader(read: Read[]): Read[] {
  return read.toSorted((a, b) => a.to.localeCompare(b.to))
}

function address(email: Email): string {
  return email.to?.map(({ address }) => address).join() ?? ''
}
