import type { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import type { Clock } from '../clock.ts'
import type { Mail, SendOutcome, Transport } from './email.ts'
import { inFlight } from './in-flight.ts'
import { composition, mailbox } from './message.ts'
import { classifyFailure } from './smtp-refusal.ts'

type Options = { readonly url: string; readonly clock: Clock; readonly timeoutMs?: number }

/**
 * One mail a call over up to five kept connections. SMTP has no key that a server would know a repeat by, so a call is
 * never repeated. `timeoutMs` bounds the whole call; silence on the line ends it after half of that.
 */
export function smtpTransport({ url, clock, timeoutMs = 60_000 }: Options): Transport {
  const pool = openPool(url, timeoutMs)
  const messages = watchMessages(pool)
  const calls = inFlight()

  async function sendOne(mail: Mail): Promise<SendOutcome> {
    const composed = composition(mail, clock())
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
    concurrency: 5,
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
function openPool(url: string, timeoutMs: number) {
  return createTransport({
    url,
    pool: true,
    maxConnections: 5,
    maxRequeues: 2,
    connectionTimeout: timeoutMs / 2,
    greetingTimeout: timeoutMs / 2,
    socketTimeout: timeoutMs / 2,
    dnsTimeout: timeoutMs / 2,
  })
}

/** Remembers each message's stream: nodemailer reads from it only after the server has answered DATA with "go ahead". */
function watchMessages(pool: ReturnType<typeof openPool>) {
  const streams = new Map<string | undefined, Readable>()
  pool.use('stream', (mail, done) => {
    mail.message.processFunc((stream) => {
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
