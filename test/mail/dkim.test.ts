import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dkimVerify } from 'mailauth'
import { describe, expect, it, onTestFinished } from 'vitest'
import { standingClock } from '../../src/clock.ts'
import { readDkimKey } from '../../src/mail/dkim.ts'
import type { Mail } from '../../src/mail/email.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { startExim, whyNoExim } from '../setup/exim.ts'
import { sampleMail } from '../setup/sample-mail.ts'
import { startScriptedSmtp } from '../setup/scripted-smtp.ts'

const clock = standingClock(Temporal.Instant.from('2026-11-20T14:00:00Z'))
const privateKey = pemOf(2048)
const dkim = { domain: 'news.example.test', selector: 'w1', privateKey }
const mail = sampleMail({
  text: 'Grüße, 你好.\n.\n..two dots, and trailing blanks   \n\n\n',
  html: `<p>${'long '.repeat(3_000)}“ship” — é</p>`,
})

describe('a signed mail', () => {
  it('is verified by somebody else’s program, with what it says about leaving signed too', async () => {
    const [result] = await verified(await received(mail))

    expect(result).toMatchObject({
      status: { result: 'pass' },
      signingDomain: 'news.example.test',
      selector: 'w1',
    })
    expect(fieldsOf(result)).toEqual(
      expect.arrayContaining([
        'from',
        'to',
        'subject',
        'list-id',
        'list-unsubscribe',
        'list-unsubscribe-post',
      ]),
    )
  })

  it.each([
    [
      'the link to leave by',
      'https://verdicts.example.test/unsubscribe/',
      'https://evil.example.test/unsubscribe/',
    ],
    ['the one-click pair', 'List-Unsubscribe=One-Click', 'List-Unsubscribe=Two-Click'],
    ['a word of the message', 'two dots', 'two cats'],
  ])('is found out when somebody changes %s', async (_, from, to) => {
    const source = await received(mail)

    expect(source).toContain(from)
    const [result] = await verified(source.replace(from, to))
    expect(result?.status.result).not.toBe('pass')
  })

  it('is not there without a key', async () => {
    expect(await received(mail, null)).not.toContain('DKIM-Signature')
  })

  it('that never began to leave may go again: signing is not sending', async () => {
    const server = await startScriptedSmtp((phase) => (phase === 'DATA' ? { reset: true } : undefined))
    const smtp = smtpTransport({ url: server.url, clock, dkim, timeoutMs: 6_000 })
    onTestFinished(async () => {
      await smtp.close()
      await server.close()
    })

    expect(await smtp.send([mail], 'k')).toMatchObject({ kind: 'retry' })
    expect(server.messages).toEqual([])
  })
})

const missing = whyNoExim()

describe.skipIf(missing && process.env.REQUIRE_REAL_SMTP !== '1')('a signed mail, through Exim', () => {
  it('is verified as it lies in the mailbox', async () => {
    const exim = await startExim()
    onTestFinished(() => exim.stop())
    const smtp = smtpTransport({ url: exim.url, clock, dkim })

    const outcome = await smtp.send([mail], 'k')
    await smtp.close()
    const [source] = await exim.delivered(1)

    expect(outcome).toMatchObject({ kind: 'accepted' })
    const [result] = await verified((source ?? Buffer.of()).toString('latin1').replace(/\r?\n/g, '\r\n'))
    expect(result).toMatchObject({ status: { result: 'pass' } })
    expect(fieldsOf(result)).toEqual(expect.arrayContaining(['list-unsubscribe', 'list-unsubscribe-post']))
  })
})

describe('the key', () => {
  it('is PEM, PEM on one line, or the path of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dkim-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    writeFileSync(join(folder, 'key.pem'), privateKey)

    for (const given of [privateKey, privateKey.replaceAll('\n', '\\n'), join(folder, 'key.pem')])
      expect(readDkimKey(given)).toBe(privateKey)
  })

  it.each([
    ['a file that is not there', '/nowhere/key.pem'],
    ['no key', '-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----'],
    ['a public key', String(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))],
    ['too short', pemOf(512)],
    ['of a kind that receivers may not know', ed25519()],
  ])('is refused when it is %s', (_, given) => {
    expect(readDkimKey(given)).toBeUndefined()
  })
})

/** What a server was given, each byte a character. */
async function received(what: Mail, key: typeof dkim | null = dkim): Promise<string> {
  const server = await startScriptedSmtp(() => undefined)
  const smtp = smtpTransport({ url: server.url, clock, ...(key && { dkim: key }) })
  await smtp.send([what], 'k')
  await smtp.close()
  await server.close()
  return `${server.messages[0]}\r\n`.replaceAll('\r\n..', '\r\n.')
}

async function verified(source: string) {
  const publicKey = String(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))
  const { results } = await dkimVerify(Buffer.from(source, 'latin1'), {
    curTime: new Date('2026-11-20T14:00:00Z'),
    resolver: async (name: string) => {
      if (name !== 'w1._domainkey.news.example.test')
        throw Object.assign(new Error(name), { code: 'ENOTFOUND' })
      return [[`v=DKIM1; k=rsa; p=${publicKey.replace(/-----[^-]+-----|\s/g, '')}`]]
    },
  })
  return results
}

function fieldsOf(result: { signingHeaders?: { keys?: string } } | undefined): readonly string[] {
  return (result?.signingHeaders?.keys ?? '').toLowerCase().split(/[:,\s]+/)
}

function pemOf(modulusLength: number): string {
  return generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey
}

function ed25519(): string {
  return generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey
}
