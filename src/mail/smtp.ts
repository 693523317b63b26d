import type { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import type { Clock } from '../clock.ts'
import { type DkimKey, dkimSigner } from './dkim.ts'
import type { Mail, SendOutcome, Transport } from './email.ts'
import { inFlight } from './in-flight.ts'
import { composition, mailbox } from './message.ts'
import { lineEncoder } from './quoted-printable.ts'
import { classifyFailure } from './smtp-refusal.ts'
import { readSmtpUrl, type SmtpServer } from './smtp-url.ts'

type Options = {
  readonly url: string
  readonly clock: Clock
  readonly dkim?: DkimKey | undefined
  readonly timeoutMs?: number
}

/**
 * One mail a call over kept connections, pipelined where the server allows it (RFC 2920), signed where there is a key.
 * SMTP has no key that a server would know a repeat by, so a call is never repeated. `timeoutMs` bounds the whole call;
 * silence on the line ends it after half of that. Throws on a URL that `readSmtpUrl` refuses.
 */
export function smtpTransport({ url, clock, dkim, timeoutMs = 60_000 }: Options): Transport {
  const server = readSmtpUrl(url)
  if ('problem' in server) throw new TypeError(`SMTP_URL ${server.problem}`)
  const pool = openPool(server, timeoutMs)
  const messages = watchMessages(pool, dkim ? dkimSigner(dkim) : (message) => message)
  const calls = inFlight()
  const encode = lineEncoder()

  async function sendOne(mail: Mail): Promise<SendOutcome> {
    const composed = composition(mail, clock(), encode)
    const envelope = { from: mailbox(mail.from).address, to: [{ name: '', address: mail.to }] }
    try {
      const sent = await pool.sendMail({ ...composed, envelope, signal: AbortSignal.timeout(timeoutMs) })
      return { kind: 'accepted', providerIds: [sent.serverMessageId ?? sent.messageId] }
    } catch (error) {
      return classifyFailure(error, messages.begun(composed.messageId))
    } finally {
      messages.forget(composed.messageId)
    }
  }

  return {
    name: 'smtp',
    most: { mails: 1, bytes: 10_000_000 },
    concurrency: server.connections,
    ...(server.perSecond && { perSecond: server.perSecond }),
    repeatable: false,
    async send([mail, ...more]) {
      if (!mail || more.length > 0) return { kind: 'rejected', reason: 'SMTP takes one mail a call' }
      return await calls.run(sendOne(mail))
    },
    async close() {
      await calls.settled()
      pool.close()
    },
  }
}

/** Requeuing happens only while not a byte of the message was read; two goes are enough for a connection that had gone stale. */
function openPool(server: SmtpServer, timeoutMs: number) {
  return createTransport({
    host: server.host,
    ...(server.port !== undefined && { port: server.port }),
    secure: server.secure,
    requireTLS: server.needsTls && !server.secure,
    ...(server.signIn && { auth: { ...server.signIn } }),
    pool: true,
    maxConnections: server.connections,
    maxMessages: server.mailsEach,
    maxRequeues: 2,
    connectionTimeout: timeoutMs / 2,
    greetingTimeout: timeoutMs / 2,
    socketTimeout: timeoutMs / 2,
    dnsTimeout: timeoutMs / 2,
  })
}

/**
 * Remembers each message's stream: nodemailer reads from it only after the server has answered DATA with "go ahead". It is
 * the signed one, since signing reads the other at once.
 */
function watchMessages(pool: ReturnType<typeof openPool>, sign: (message: Readable) => Readable) {
  const streams = new Map<string | undefined, Readable>()
  pool.use('stream', (mail, done) => {
    mail.message.processFunc((message) => {
      const stream = sign(message)
      streams.set(mail.data.messageId, stream)
      return stream
    })
    done()
  })
  return {
    begun: (messageId: string | undefined) => streams.get(messageId)?.readableDidRead ?? false,
    forget: (messageId: string | undefined) => streams.delete(messageId),
  }
}
