import { createServer, type Socket } from 'node:net'
import PostalMime from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { standingClock } from '../../src/clock.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { classifyFailure } from '../../src/mail/smtp-refusal.ts'
import { sampleMail, sampleMails } from '../setup/sample-mail.ts'

const clock = standingClock(Temporal.Instant.from('2026-11-20T14:00:00Z'))
const big = sampleMail({ html: 'x'.repeat(3_000_000) })

describe('sending through a mail server', () => {
  it('delivers the mail as it is, and answers with its message id', async () => {
    const { smtp, delivered } = await smtpAt()
    const mail = sampleMail({ text: '.starts with a dot\n..and two\n.\nGrüße\n' })

    const outcome = await smtp.send([mail], 'k')

    expect(outcome).toEqual({ kind: 'accepted', providerIds: ['<w47-ann@news.example.test>'] })
    expect(await PostalMime.parse(delivered[0]?.source ?? '')).toMatchObject({
      subject: mail.subject,
      text: `${mail.text}\n`,
      html: `${mail.html}\n`,
    })
  })

  it('goes from the address alone to the one reader alone', async () => {
    const { smtp, delivered } = await smtpAt()

    await smtp.send([sampleMail()], 'k')

    expect(delivered[0]).toMatchObject({ from: 'verdicts@news.example.test', to: ['ann@example.test'] })
  })

  it('keeps to five connections, and to one when mail follows mail', async () => {
    const { smtp, delivered, sockets } = await smtpAt()

    for (const mail of sampleMails(5)) await smtp.send([mail], 'k')
    expect(sockets).toHaveLength(1)

    await Promise.all(sampleMails(20).map((mail) => smtp.send([mail], 'k')))
    expect(sockets.length).toBeLessThanOrEqual(5)
    expect(delivered).toHaveLength(25)
  })

  it('finds another connection when the server has closed an idle one', async () => {
    const { smtp, delivered, sockets } = await smtpAt()

    await smtp.send([sampleMail({ id: 'first' })], 'k')
    for (const socket of sockets) socket.destroy()
    const outcome = await smtp.send([sampleMail({ id: 'second' })], 'k')

    expect(outcome).toMatchObject({ kind: 'accepted' })
    expect(delivered).toHaveLength(2)
  })

  it('signs in with the name and password of the URL', async () => {
    const { smtp } = await smtpAt({ ...withAccounts, authOptional: false }, 'desk:secret%21@')

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({ kind: 'accepted' })
  })

  it('waits for what is under way before it closes', async () => {
    const { smtp, delivered } = await smtpAt()

    void smtp.send([sampleMail()], 'k')
    await smtp.close()

    expect(delivered).toHaveLength(1)
  })

  it('takes one mail a call', async () => {
    const { smtp } = await smtpAt()

    expect(await smtp.send(sampleMails(2), 'k')).toMatchObject({ kind: 'rejected' })
    expect(await smtp.send([], 'k')).toMatchObject({ kind: 'rejected' })
  })
})

describe('what a mail server says', () => {
  it.each<[string, SMTPServerOptions, string]>([
    ['no such mailbox', { onRcptTo: refuse(550) }, 'rejected'],
    ['a mailbox that is full', { onRcptTo: refuse(552) }, 'rejected'],
    ['a mailbox name that is not allowed', { onRcptTo: refuse(553) }, 'rejected'],
    ['come back later, to the reader (greylisting)', { onRcptTo: refuse(450) }, 'retry'],
    ['come back later, to the sender', { onMailFrom: refuse(451) }, 'retry'],
    ['not from this sender', { onMailFrom: refuse(550) }, 'halt'],
    ['sign in first', { onMailFrom: refuse(530) }, 'halt'],
    ['too big', { onMailFrom: refuse(552) }, 'rejected'],
    ['this content, never', { onData: refuseContent(554) }, 'rejected'],
    ['this content, later', { onData: refuseContent(451) }, 'retry'],
    ['you may not connect', { onConnect: (_, done) => done(coded(554)) }, 'halt'],
    ['too busy to connect', { onConnect: (_, done) => done(coded(421)) }, 'retry'],
  ])('%s', async (_, options, kind) => {
    const { smtp, delivered } = await smtpAt(options)

    const outcome = await smtp.send([sampleMail()], 'k')

    expect(outcome).toMatchObject({ kind, reason: expect.not.stringContaining('ann@') })
    expect(delivered).toEqual([])
  })

  it('wrong password', async () => {
    const { smtp } = await smtpAt({ ...withAccounts, authOptional: false }, 'desk:wrong@')

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({
      kind: 'halt',
      reason: expect.stringMatching(/^The mail server does not accept our sign-in.*SMTP_URL/),
    })
  })

  it('a certificate that nobody we trust has signed', async () => {
    const { smtp } = await smtpAt({ hideSTARTTLS: false })

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({
      kind: 'halt',
      reason: expect.stringContaining('certificate'),
    })
  })

  it('no TLS at a port where the URL wants it', async () => {
    const { url } = await smtpAt()
    const smtps = smtpTransport({ url: url.replace('smtp:', 'smtps:'), clock, timeoutMs: 1_000 })

    expect(await smtps.send([sampleMail()], 'k')).toMatchObject({ kind: 'halt' })
  })
})

describe('a connection that fails', () => {
  it('was never there: nothing has left', async () => {
    const { smtp, stop } = await smtpAt()
    await stop()

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({ kind: 'retry' })
  })

  it('says nothing at all: nothing has left', async () => {
    const silent = createServer(() => {})
    const port = await new Promise<number>((on) =>
      silent.listen(0, '127.0.0.1', () => on(portOf(silent.address()))),
    )
    onTestFinished(() => void silent.close())
    const smtp = smtpTransport({ url: `smtp://127.0.0.1:${port}`, clock, timeoutMs: 400 })

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({ kind: 'retry' })
  })

  it('is lost at the recipient: nothing has left', async () => {
    const { smtp, begun } = await smtpAt({ onRcptTo: () => drop() })
    const drop = dropper(() => begun.sockets)

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({ kind: 'retry' })
  })

  it('is lost in the middle of the message: nobody knows, and it is not sent again', async () => {
    const { smtp, begun } = await smtpAt({ onData: (stream) => stream.once('data', () => drop()) })
    const drop = dropper(() => begun.sockets)

    expect(await smtp.send([big], 'k')).toMatchObject({ kind: 'unknown' })
    expect(begun.messages).toBe(1)
  })

  it('is lost after the message and before the answer: nobody knows, and it is not sent again', async () => {
    const { smtp, begun } = await smtpAt({ onData: (stream) => stream.resume().once('end', () => drop()) })
    const drop = dropper(() => begun.sockets)

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({ kind: 'unknown' })
    expect(begun.messages).toBe(1)
  })

  it('falls silent after the message: nobody knows, and it is not sent again', async () => {
    const { smtp, begun } = await smtpAt({ onData: (stream) => void stream.resume() }, '', 1_000)

    expect(await smtp.send([sampleMail()], 'k')).toMatchObject({ kind: 'unknown' })
    expect(begun.messages).toBe(1)
  })
})

describe('a failure as nodemailer reports it', () => {
  it.each([
    [{ code: 'EDNS', originalCode: 'ENOTFOUND' }, false, 'halt'],
    [{ code: 'EDNS', originalCode: 'EAI_AGAIN' }, false, 'retry'],
    [{ code: 'ESOCKET', originalCode: 'ECONNREFUSED' }, false, 'retry'],
    [{ code: 'ESOCKET', originalCode: 'ERR_TLS_CERT_ALTNAME_INVALID' }, false, 'halt'],
    [{ code: 'ESOCKET', originalCode: 'ECONNRESET' }, true, 'unknown'],
    [{ code: 'ETIMEDOUT' }, false, 'retry'],
    [{ code: 'ETIMEDOUT' }, true, 'unknown'],
    [{ code: 'EABORT' }, false, 'retry'],
    [{ code: 'EABORT' }, true, 'unknown'],
    [{ code: 'ENOAUTH' }, false, 'halt'],
    [{ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 454 }, false, 'retry'],
    [{ code: 'EAUTH', command: 'API' }, false, 'halt'],
    [{ code: 'EENVELOPE', command: 'API' }, false, 'rejected'],
    [{ code: 'EENVELOPE', command: 'DATA', responseCode: 503 }, false, 'retry'],
    [{ code: 'EMESSAGE', command: 'DATA', responseCode: 354 }, true, 'unknown'],
    [{ code: 'ECONNECTION', command: 'CONN', responseCode: 421 }, true, 'unknown'],
    [{}, false, 'retry'],
    [{}, true, 'unknown'],
  ])('%j, message begun: %s, is %s', (error, begun, kind) => {
    expect(classifyFailure(Object.assign(new Error('failed'), error), begun).kind).toBe(kind)
  })
})

const withAccounts: SMTPServerOptions = {
  disabledCommands: [],
  allowInsecureAuth: true,
  onAuth: ({ username, password }, _, done) =>
    username === 'desk' && password === 'secret!'
      ? done(null, { user: 'desk' })
      : done(new Error('Who are you?')),
}

async function smtpAt(options: SMTPServerOptions = {}, signIn = '', timeoutMs = 8_000) {
  const delivered: { from: string; to: string[]; source: Buffer }[] = []
  const begun = { messages: 0, sockets: [] as Socket[] }
  const server = new SMTPServer({
    disabledCommands: ['AUTH'],
    disableReverseLookup: true,
    hideSTARTTLS: true,
    ...options,
    async onData(stream, session, done) {
      begun.messages += 1
      if (options.onData) return options.onData.call(server, stream, session, done)
      const { mailFrom, rcptTo } = session.envelope
      const source = Buffer.concat(await stream.toArray())
      delivered.push({
        from: mailFrom ? mailFrom.address : '',
        to: rcptTo.map(({ address }) => address),
        source,
      })
      done()
    },
  })
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => begun.sockets.push(socket))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))

  const url = `smtp://${signIn}127.0.0.1:${portOf(server.server.address())}`
  const smtp = smtpTransport({ url, clock, timeoutMs })
  const stop = () => new Promise<void>((stopped) => server.close(() => stopped()))
  onTestFinished(async () => {
    await smtp.close()
    for (const socket of begun.sockets) socket.destroy()
    await stop()
  })
  return { smtp, url, delivered, begun, sockets: begun.sockets, stop }
}

function dropper(sockets: () => readonly Socket[]) {
  return () => {
    for (const socket of sockets()) socket.resetAndDestroy()
  }
}

function refuse(code: number): NonNullable<SMTPServerOptions['onRcptTo']> {
  return ({ address }, _, done) => done(coded(code, `not for ${address}`))
}

function refuseContent(code: number): NonNullable<SMTPServerOptions['onData']> {
  return (stream, _, done) => void stream.resume().once('end', () => done(coded(code)))
}

function coded(responseCode: number, message = 'no'): Error {
  return Object.assign(new Error(message), { responseCode })
}

function portOf(bound: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (bound === null || typeof bound === 'string') throw new Error('The server is not on a port.')
  return bound.port
}
